"""One step of a session: take in the news, derive the status, choose the one effect to perform next.

The order of a life: admitted -> workspace -> prepared -> launching -> launched -> (ended -> resumed)*
-> merged, done or killed -> cleaned. Safety is decided here: what lives is never started, what
cannot be seen is neither started nor stopped, and a launch is written down before it happens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence
from ennio.model.facts import Presence
from ennio.model.message import MessageState
from ennio.model.session import Activity, SessionStatus
from ennio.policy import restart
from ennio.policy.lifecycle import activity as activities
from ennio.policy.lifecycle import status as statuses
from ennio.policy.lifecycle import waiting
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InspectWorkspace,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)
from ennio.policy.lifecycle.news import note
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase, Seen, Spec


@dataclass(frozen=True, slots=True)
class Plan:
    """What came of a step: memory and events to write together, then the effect to perform.

    ``evidence`` is set when the status or its rule changed. ``wake_at`` is when time alone would
    change something. ``waits`` is what the next message waits for, when that is known without a look at the terminal.
    """

    memory: LifecycleState
    events: tuple[Draft, ...] = ()
    effect: Effect | None = None
    evidence: Evidence | None = None
    wake_at: datetime | None = None
    waits: str | None = None


def step(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Plan:
    """Decide; total over every memory and every view of the world."""
    noted = note(spec, seen, memory, now)
    memory, events = noted.memory, list(noted.events)
    memory, changed, evidence = _transition(spec, seen, memory, now)
    events.extend(changed)
    memory, moved = _move(spec, seen, memory, now)
    events.extend(moved)
    memory, effect = (memory, None) if seen.busy else _choose(spec, seen, memory, now)
    return Plan(memory, tuple(events), effect, evidence, _wake_at(spec, seen, memory, now), waiting.reason(spec, seen, memory))


# --- status and activity -----------------------------------------------------------------------

_STATUS_EVENTS = {
    SessionStatus.CI_FIX_SENT: EventType.CI_FIX_SENT,
    SessionStatus.CI_FIX_FAILED: EventType.CI_FIX_FAILED,
    SessionStatus.MERGE_CONFLICTS: EventType.MERGE_CONFLICTS,
    SessionStatus.EXITED: EventType.SESSION_EXITED,
    SessionStatus.KILLED: EventType.SESSION_KILLED,
}


def _transition(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, list[Draft], Evidence | None]:
    verdict = statuses.derive(spec, seen, memory, now)
    if verdict is None or (verdict.status is memory.status and verdict.rule == memory.rule):
        return memory, [], None
    evidence = Evidence(now, verdict.status, verdict.rule, verdict.grounds)
    before = memory.status
    outcome = verdict.outcome or memory.outcome
    if verdict.status is before:
        return replace(memory, rule=verdict.rule, outcome=outcome), [], evidence
    memory = replace(memory, status=verdict.status, status_since=now, rule=verdict.rule, outcome=outcome)
    data = {"from": before.value, "to": verdict.status.value, "reason": verdict.rule}
    events = [Draft(EventType.STATUS_CHANGED, f"{before} -> {verdict.status}: {verdict.rule}", data=data)]
    if verdict.status in _STATUS_EVENTS:
        events.append(Draft(_STATUS_EVENTS[verdict.status], verdict.rule, data=data))
    return memory, events, evidence


def _move(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, list[Draft]]:
    doing = activities.derive(spec, seen, memory, now)
    if doing is memory.activity:
        return memory, []
    before = memory.activity
    memory = replace(memory, activity=doing, activity_since=now)
    asked = seen.facts.agent.question if seen.facts.agent is not None and doing is Activity.WAITING_INPUT else None
    data = {"from": before and before.value, "to": doing and doing.value, "question": asked}
    words = f"{before or 'unknown'} -> {doing or 'unknown'}"
    return memory, [Draft(EventType.ACTIVITY_CHANGED, f"{words}: {asked}" if asked else words, data=data)]


# --- the next effect ---------------------------------------------------------------------------


def _choose(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, Effect | None]:
    if memory.retry_at is not None and now < memory.retry_at:
        return memory, None
    if memory.status.terminal or memory.desired is Desired.END:
        return _end(spec, seen, memory, now)
    if memory.desired is Desired.RUN:
        return _build(seen, memory)
    if memory.desired is Desired.WATCH:
        return _watch(spec, seen, memory, now)
    return memory, None


def _build(seen: Seen, memory: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    match memory.phase:
        case Phase.NEW:
            return _make(seen, memory)
        case Phase.WORKSPACE:
            return memory, PrepareWorkspace()
        case Phase.PREPARED if memory.launches == 0:
            return _launch(seen, memory, 1)
        case _:
            return _relaunch(seen, memory)


def _make(seen: Seen, memory: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    """Make the workspace; an agent that stands where it was taken away is ended first, and nothing is done past what can be seen."""
    process = seen.facts.process
    if memory.launched_at is not None and process is not None and process.presence is not Presence.GONE:
        unknown = process.presence is Presence.UNKNOWN
        return memory, None if unknown else StopAgent("its workspace is gone and is made again")
    return replace(memory, begun=True), MakeWorkspace()


def _unusable(seen: Seen) -> bool:
    """Whether the workspace was taken away: nothing is delivered there, and nothing started."""
    place = seen.facts.place
    return place is not None and not place.place.usable


def _relaunch(seen: Seen, memory: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    """Go on with a launch that was written down, or begin the next; both only past what can be seen."""
    process = seen.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return memory, None
    launched = memory.phase is Phase.LAUNCHED or (memory.phase is Phase.PREPARED and memory.launched_at is not None)
    if process.presence is Presence.ALIVE and launched:
        return replace(memory, desired=Desired.WATCH, phase=Phase.LAUNCHED), None
    if process.presence is Presence.ALIVE and process.number not in (None, memory.launches):
        return replace(memory, desired=Desired.WATCH, phase=Phase.LAUNCHED, launches=process.number or memory.launches), None
    if memory.phase is Phase.LAUNCHING:
        return _launch(seen, memory, memory.launches)
    return _launch(seen, memory, memory.launches + 1)


def _launch(seen: Seen, memory: LifecycleState, number: int) -> tuple[LifecycleState, Effect]:
    resume = memory.launched_at is not None
    carried = seen.mail.id if resume and seen.mail is not None and seen.mail.state is MessageState.QUEUED else None
    memory = replace(memory, launches=number, phase=Phase.LAUNCHING, ready_at=None)
    return memory, LaunchAgent(number, resume, carried)


def _watch(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, Effect | None]:
    process = seen.facts.process
    if memory.phase is not Phase.LAUNCHED:
        return memory, RemoveWorkspace() if _undo_wanted(seen, memory) else None
    if process is None or process.presence is Presence.UNKNOWN:
        return memory, None
    if process.presence is Presence.ALIVE:
        return memory, _post(seen, memory, now)
    if statuses.ended_well(process):
        return _after_good_end(spec, seen, memory, now)
    return (memory if _unusable(seen) else _after_failure(spec, memory, now)), None


def _undo_wanted(seen: Seen, memory: LifecycleState) -> bool:
    """A spawn that failed before the agent ever ran leaves no workspace behind; nothing is undone under a doubt."""
    process = seen.facts.process
    never_ran = memory.launches == 0 or (process is not None and process.presence is Presence.GONE and memory.launched_at is None)
    return memory.failure is not None and never_ran and memory.phase is not Phase.NEW


def _post(seen: Seen, memory: LifecycleState, now: datetime) -> Effect | None:
    mail = seen.mail
    if mail is None or (mail.not_before is not None and now < mail.not_before):
        return None
    if mail.state is not MessageState.QUEUED:
        return SettleMessage(mail.id)
    can_take = memory.activity in (Activity.READY, Activity.IDLE, Activity.WAITING_INPUT)
    return DeliverMessage(mail.id) if memory.ready_at is not None and can_take and not _unusable(seen) else None


def _after_good_end(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, Effect | None]:
    """It ended as it should: look at what it left; a message for it starts it again with the words."""
    if memory.inspected < memory.launches:
        return memory, InspectWorkspace()
    mail = seen.mail
    if mail is not None and mail.state is not MessageState.QUEUED:
        return memory, SettleMessage(mail.id)
    open_pull = memory.pull is not None and memory.status is not SessionStatus.EXITED
    due = mail is not None and (mail.not_before is None or now >= mail.not_before) and not _unusable(seen)
    if due and (spec.one_shot or open_pull) and memory.status is not SessionStatus.EXITED:
        return replace(memory, desired=Desired.RUN), None
    return memory, None


def _after_failure(spec: Spec, memory: LifecycleState, now: datetime) -> LifecycleState:
    if memory.status is not SessionStatus.EXITED:
        return memory
    verdict = restart.decide(spec.restart, memory.restarts, now)
    if verdict.again is restart.Again.GIVE_UP:
        return memory
    retry_at = now + timedelta(seconds=verdict.delay)
    return replace(memory, desired=Desired.RUN, restarts=(*memory.restarts[-20:], now), retry_at=retry_at)


def _end(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> tuple[LifecycleState, Effect | None]:
    """Stop what a person ended; once cleaning is due stop whatever is left, then remove the workspace."""
    if memory.cleaned_at is not None:
        return memory, None
    killed = memory.killed_by is not None
    due = _cleaning_due(spec, memory, now)
    process = seen.facts.process
    # a launch that a kill overtook may come up after it was ended: whatever lives is ended again
    alive = process is not None and process.presence is Presence.ALIVE and memory.launches > 0
    owed = memory.under_way if killed else memory.launches > memory.stopped
    if (owed or alive) and (killed or due):
        # a person's order does not wait for sight: what was launched is found by its mark, or the order fails and says why
        ordered = killed and (memory.phase is Phase.LAUNCHED or memory.launches == 0)
        if not ordered and (process is None or process.presence is Presence.UNKNOWN):
            return memory, None
        return memory, StopAgent(f"killed by {memory.killed_by}" if killed else "its workspace is to be cleaned")
    if not due:
        return memory, None
    if memory.phase is Phase.NEW and not memory.begun:
        return replace(memory, cleaned_at=now), None
    return memory, RemoveWorkspace()


def cleaning_at(spec: Spec, memory: LifecycleState) -> datetime | None:
    """When the workspace of an ended session is due to be removed; None: only on request."""
    if not memory.status.terminal or memory.cleaned_at is not None:
        return None
    if memory.clean_wanted:
        return memory.status_since
    after = {
        SessionStatus.MERGED: spec.cleanup.merged_after,
        SessionStatus.DONE: spec.cleanup.done_after,
        SessionStatus.KILLED: spec.cleanup.killed_after,
    }[memory.status]
    return None if after is None else memory.status_since + timedelta(seconds=after)


def _cleaning_due(spec: Spec, memory: LifecycleState, now: datetime) -> bool:
    at = cleaning_at(spec, memory)
    return at is not None and now >= at


# --- time --------------------------------------------------------------------------------------


def _wake_at(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> datetime | None:
    """The next moment at which a step without news would come to something else."""
    moments = [memory.retry_at, cleaning_at(spec, memory), *activities.turns_at(spec, seen, memory)]
    process = seen.facts.process
    if process is not None and process.presence is Presence.UNKNOWN and not memory.signal_lost:
        moments.append(process.at + timedelta(seconds=spec.signal_grace))
    forge = seen.facts.forge
    if spec.forge and forge is not None and forge.presence is Presence.UNKNOWN and not (memory.forge_lost or memory.status.terminal):
        moments.append(forge.at + timedelta(seconds=spec.signal_grace))
    if memory.phase is Phase.LAUNCHED and memory.ready_at is None and memory.launched_at is not None:
        moments.append(memory.launched_at + timedelta(seconds=spec.ready_threshold))
    if memory.head_at is not None and not memory.status.terminal:
        moments.append(memory.head_at + timedelta(seconds=spec.checks_grace))
    if seen.mail is not None:
        moments.append(seen.mail.not_before)
    return min((at for at in moments if at is not None and at > now), default=None)
