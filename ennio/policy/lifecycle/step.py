"""One step of a session: apply what is new, derive the status, choose the
one effect to perform next.

The order of a life: admitted -> workspace -> prepared -> launching -> launched -> (ended ->
resumed)* -> merged, done or killed -> cleaned. Safety is decided here: what lives is never started,
what cannot be seen is neither started nor stopped, and a launch is written down before it happens.
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
from ennio.policy.lifecycle import holding, parking, pausing, pull_request, waiting
from ennio.policy.lifecycle import status as statuses
from ennio.policy.lifecycle.diff import apply
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
from ennio.policy.lifecycle.state import Desired, Inputs, LifecycleState, Phase, Spec


@dataclass(frozen=True, slots=True)
class Plan:
    """What came of a step: state and events to write together, then the effect to perform.

    ``evidence`` is set when the status or its rule changed. ``wake_at`` is when time alone
    would change something. ``waits`` is what the next message waits for, when that is known
    without a look at the terminal. ``look``: something hangs on a look at the process that was
    not made yet; ``forge_look``: on one at the forge, no earlier than that. ``says``: the agent is
    to be told to go on, in words of this name that are written with the state. ``goes_on``: it is
    to be told so after a pause.
    """

    state: LifecycleState
    events: tuple[Draft, ...] = ()
    effect: Effect | None = None
    evidence: Evidence | None = None
    wake_at: datetime | None = None
    waits: waiting.Wait | None = None
    says: str | None = None
    goes_on: bool = False
    look: bool = False
    forge_look: datetime | None = None


def step(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Plan:
    """Decide; total over every state and every view of the world."""
    applied = apply(spec, inputs, state, now)
    park = parking.step(spec, inputs, applied.state, now)
    state, events = park.state, [*applied.events, *park.events]
    state, changed, evidence = _transition(spec, inputs, state, now)
    events.extend(changed)
    state, moved = _move(spec, inputs, state, now)
    events.extend(moved)
    paused = pausing.hold(inputs, state, now)
    state = paused.state
    events.extend(paused.events)
    state, effect = (state, None) if inputs.busy else _allowed(spec, inputs, state, now)
    return Plan(
        state,
        tuple(events),
        effect,
        evidence,
        _wake_at(spec, inputs, state, now),
        _reason(spec, inputs, state),
        park.says,
        paused.goes_on,
        activities.look_is_due(spec, inputs, state, now),
        pull_request.look_due(spec, inputs, state, now),
    )


# --- status and activity -----------------------------------------------------------------------

_STATUS_EVENTS = {
    SessionStatus.CI_FIX_SENT: EventType.CI_FIX_SENT,
    SessionStatus.CI_FIX_FAILED: EventType.CI_FIX_FAILED,
    SessionStatus.MERGE_CONFLICTS: EventType.MERGE_CONFLICTS,
    SessionStatus.EXITED: EventType.SESSION_EXITED,
    SessionStatus.KILLED: EventType.SESSION_KILLED,
}


def _transition(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, list[Draft], Evidence | None]:
    derived = statuses.derive(spec, inputs, state, now)
    if derived is None or (derived.status is state.status and derived.rule == state.rule):
        return state, [], None
    evidence = Evidence(now, derived.status, derived.rule, derived.grounds)
    before = state.status
    outcome = derived.outcome or state.outcome
    if derived.status is before:
        return replace(state, rule=derived.rule, outcome=outcome), [], evidence
    state = replace(
        state, status=derived.status, status_since=now, rule=derived.rule, outcome=outcome
    )
    data = {"from": before.value, "to": derived.status.value, "reason": derived.rule}
    events = [
        Draft(EventType.STATUS_CHANGED, f"{before} -> {derived.status}: {derived.rule}", data=data)
    ]
    if derived.status in _STATUS_EVENTS:
        events.append(Draft(_STATUS_EVENTS[derived.status], derived.rule, data=data))
    return state, events, evidence


def _move(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, list[Draft]]:
    doing = activities.derive(spec, inputs, state, now)
    if doing is state.activity:
        return state, []
    before = state.activity
    state = replace(state, activity=doing, activity_since=now)
    asked = (
        inputs.facts.agent.question
        if inputs.facts.agent is not None and doing is Activity.WAITING_INPUT
        else None
    )
    data = {"from": before and before.value, "to": doing and doing.value, "question": asked}
    words = f"{before or 'unknown'} -> {doing or 'unknown'}"
    return state, [
        Draft(EventType.ACTIVITY_CHANGED, f"{words}: {asked}" if asked else words, data=data)
    ]


# --- the next effect ---------------------------------------------------------------------------


def _allowed(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, Effect | None]:
    """What is due, as far as budgets allow it."""
    chosen = _choose(spec, inputs, state, now)
    return pausing.instead(inputs, state, chosen, now)


def _choose(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, Effect | None]:
    if state.retry_at is not None and now < state.retry_at:
        return state, None
    if state.status.terminal or state.desired is Desired.END:
        return _end(spec, inputs, state, now)
    if state.desired is Desired.RUN:
        return _build(inputs, state)
    if state.desired is Desired.WATCH:
        return _watch(spec, inputs, state, now)
    return state, None


def _build(inputs: Inputs, state: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    match state.phase:
        case Phase.NEW:
            return _make(inputs, state)
        case Phase.WORKSPACE:
            return state, PrepareWorkspace()
        case Phase.PREPARED if state.launches == 0:
            return _launch(inputs, state, 1)
        case _:
            return _relaunch(inputs, state)


def _make(inputs: Inputs, state: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    """Make the workspace; an agent that stands where it was taken away is ended first, and nothing
    is done past what can be seen.
    """
    process = inputs.facts.process
    if (
        state.launched_at is not None
        and process is not None
        and process.presence is not Presence.GONE
    ):
        unknown = process.presence is Presence.UNKNOWN
        return state, None if unknown else StopAgent("its workspace is gone and is made again")
    return replace(state, begun=True), MakeWorkspace()


def _reason(spec: Spec, inputs: Inputs, state: LifecycleState) -> waiting.Wait | None:
    """What the next message waits for: what holds all of them goes before what this one finds."""
    queued = inputs.pending is not None and inputs.pending.state is MessageState.QUEUED
    held = holding.hold(state) if queued and not state.status.terminal else None
    return held or waiting.reason(spec, inputs, state)


def _unusable(inputs: Inputs) -> bool:
    """Whether the workspace was taken away: nothing is delivered there, and nothing started."""
    place = inputs.facts.place
    return place is not None and not place.place.usable


def _relaunch(inputs: Inputs, state: LifecycleState) -> tuple[LifecycleState, Effect | None]:
    """Go on with a launch that was written down, or begin the next; both
    only past what can be seen.
    """
    process = inputs.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return state, None
    launched = state.phase is Phase.LAUNCHED or (
        state.phase is Phase.PREPARED and state.launched_at is not None
    )
    if process.presence is Presence.ALIVE and launched:
        return replace(state, desired=Desired.WATCH, phase=Phase.LAUNCHED), None
    if process.presence is Presence.ALIVE and process.number not in (None, state.launches):
        return replace(
            state,
            desired=Desired.WATCH,
            phase=Phase.LAUNCHED,
            launches=process.number or state.launches,
        ), None
    if state.phase is Phase.LAUNCHING:
        return _launch(inputs, state, state.launches)
    return _launch(inputs, state, state.launches + 1)


def _launch(inputs: Inputs, state: LifecycleState, number: int) -> tuple[LifecycleState, Effect]:
    resume = state.launched_at is not None
    carried = (
        inputs.pending.id
        if resume and inputs.pending is not None and inputs.pending.state is MessageState.QUEUED
        else None
    )
    state = replace(state, launches=number, phase=Phase.LAUNCHING, ready_at=None, parked=None)
    return state, LaunchAgent(number, resume, carried)


def _watch(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, Effect | None]:
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED:
        return state, RemoveWorkspace() if _undo_wanted(inputs, state) else None
    if process is None or process.presence is Presence.UNKNOWN:
        return state, None
    if process.presence is Presence.ALIVE:
        return state, _post(spec, inputs, state, now)
    if statuses.ended_well(process):
        return _after_good_end(spec, inputs, state, now)
    if _unusable(inputs) or holding.hold(state) is not None:
        return state, None
    return _went_on(state) or _after_failure(spec, state, now), None


def _went_on(state: LifecycleState) -> LifecycleState | None:
    """An agent that ended while it was parked is started again with the words to go on."""
    return None if state.parked is None else replace(state, desired=Desired.RUN)


def _undo_wanted(inputs: Inputs, state: LifecycleState) -> bool:
    """A spawn that failed before the agent ever ran leaves no workspace behind; nothing
    is undone under a doubt.
    """
    process = inputs.facts.process
    never_ran = state.launches == 0 or (
        process is not None and process.presence is Presence.GONE and state.launched_at is None
    )
    return state.failure is not None and never_ran and state.phase is not Phase.NEW


def _post(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Effect | None:
    pending = inputs.pending
    if pending is None or (pending.not_before is not None and now < pending.not_before):
        return None
    if pending.state is not MessageState.QUEUED:
        return SettleMessage(pending.id)
    rests = state.activity in (Activity.READY, Activity.IDLE, Activity.WAITING_INPUT)
    can_take = rests or waiting.begins(spec, pending)
    free = holding.hold(state) is None and not _unusable(inputs)
    return DeliverMessage(pending.id) if state.ready_at is not None and can_take and free else None


def _after_good_end(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, Effect | None]:
    """It ended as it should: look at what it left; a message for it starts
    it again with the words.
    """
    if state.inspected < state.launches:
        return state, InspectWorkspace()
    pending = inputs.pending
    if pending is not None and pending.state is not MessageState.QUEUED:
        return state, SettleMessage(pending.id)
    open_pull = state.pull is not None and state.status is not SessionStatus.EXITED
    due = (
        pending is not None
        and (pending.not_before is None or now >= pending.not_before)
        and not _unusable(inputs)
        and holding.hold(state) is None
    )
    if due and (spec.one_shot or open_pull) and state.status is not SessionStatus.EXITED:
        return replace(state, desired=Desired.RUN), None
    return (_went_on(state) if due else None) or state, None


def _after_failure(spec: Spec, state: LifecycleState, now: datetime) -> LifecycleState:
    if state.status is not SessionStatus.EXITED:
        return state
    verdict = restart.decide(spec.restart, state.restarts, now)
    if verdict.again is restart.Again.GIVE_UP:
        return state
    retry_at = now + timedelta(seconds=verdict.delay)
    return replace(
        state, desired=Desired.RUN, restarts=(*state.restarts[-20:], now), retry_at=retry_at
    )


def _end(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, Effect | None]:
    """Stop what a person ended; once cleaning is due stop whatever is left,
    then remove the workspace.
    """
    if state.cleaned_at is not None:
        return state, None
    killed = state.killed_by is not None
    due = _cleaning_due(spec, state, now)
    process = inputs.facts.process
    # a launch that a kill overtook may come up after it was ended: whatever lives is ended again
    alive = process is not None and process.presence is Presence.ALIVE and state.launches > 0
    owed = state.under_way if killed else state.launches > state.stopped
    if (owed or alive) and (killed or due):
        # a person's order does not wait for sight: what was launched is found by its mark, or the
        # order fails and says why
        ordered = killed and (state.phase is Phase.LAUNCHED or state.launches == 0)
        if not ordered and (process is None or process.presence is Presence.UNKNOWN):
            return state, None
        return state, StopAgent(
            f"killed by {state.killed_by}" if killed else "its workspace is to be cleaned"
        )
    if not due:
        return state, None
    if state.phase is Phase.NEW and not state.begun:
        return replace(state, cleaned_at=now), None
    return state, RemoveWorkspace()


def cleaning_at(spec: Spec, state: LifecycleState) -> datetime | None:
    """When the workspace of an ended session is due to be removed; None: only on request."""
    if not state.status.terminal or state.cleaned_at is not None:
        return None
    if state.clean_wanted:
        return state.status_since
    after = {
        SessionStatus.MERGED: spec.cleanup.merged_after,
        SessionStatus.DONE: spec.cleanup.done_after,
        SessionStatus.KILLED: spec.cleanup.killed_after,
    }[state.status]
    return None if after is None else state.status_since + timedelta(seconds=after)


def _cleaning_due(spec: Spec, state: LifecycleState, now: datetime) -> bool:
    at = cleaning_at(spec, state)
    return at is not None and now >= at


# --- time --------------------------------------------------------------------------------------


def _wake_at(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> datetime | None:
    """The next moment at which a step without anything new would come to something else."""
    moments = [state.retry_at, cleaning_at(spec, state), *activities.turns_at(spec, inputs, state)]
    moments.extend(parking.turns_at(state))
    process = inputs.facts.process
    if process is not None and process.presence is Presence.UNKNOWN and not state.signal_lost:
        moments.append(process.at + timedelta(seconds=spec.signal_grace))
    forge = inputs.facts.forge
    if (
        spec.forge
        and forge is not None
        and forge.presence is Presence.UNKNOWN
        and not (state.forge_lost or state.status.terminal)
    ):
        moments.append(forge.at + timedelta(seconds=spec.signal_grace))
    if state.phase is Phase.LAUNCHED and state.ready_at is None and state.launched_at is not None:
        moments.append(state.launched_at + timedelta(seconds=spec.ready_threshold))
    if state.head_at is not None and not state.status.terminal:
        moments.append(pull_request.checks_settle_at(spec, state))
    if inputs.pending is not None:
        moments.append(inputs.pending.not_before)
    moments += pausing.turns_at(inputs, state)
    return min((at for at in moments if at is not None and at > now), default=None)
