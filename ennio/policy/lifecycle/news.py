"""What the facts bring that was not known before: remembered, and told as events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Priority
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase, Seen, Spec
from ennio.policy.lifecycle.status import known_pull, passed, settled_checks


@dataclass(frozen=True, slots=True)
class Noted:
    """The memory with the news in it, and the events that tell of them."""

    memory: LifecycleState
    events: tuple[Draft, ...] = ()


def note(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    """Take in everything new, in the order in which it must have happened."""
    events: list[Draft] = []
    for part in (_adoption, _readiness, _signal, _forge_signal, _pushed, _pull, _checks, _review, _merge_ready, _place):
        noted = part(spec, seen, memory, now)
        memory = noted.memory
        events.extend(noted.events)
    return Noted(memory, tuple(events))


def _adoption(_spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    """A launch that was given up, or overtaken by a kill, and yet stands: it happened all the same."""
    process = seen.facts.process
    if memory.phase is not Phase.LAUNCHING or memory.desired is Desired.RUN or seen.busy:
        return Noted(memory)
    if process is None or process.presence is not Presence.ALIVE or process.number != memory.launches:
        return Noted(memory)
    return Noted(replace(memory, phase=Phase.LAUNCHED, launched_at=now, failure=None))


def _readiness(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    process = seen.facts.process
    if memory.phase is not Phase.LAUNCHED or memory.ready_at is not None:
        return Noted(memory)
    if process is None or process.presence is not Presence.ALIVE or not _is_ready(spec, seen, memory, now):
        return Noted(memory)
    word = Draft(EventType.SESSION_WORKING, "the agent is ready and has begun", data={"launch": memory.launches})
    return Noted(replace(memory, ready_at=now), (word,))


def _is_ready(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> bool:
    agent = seen.facts.agent
    if agent is not None and agent.ready:
        return True
    since = memory.launched_at or now
    return not spec.tells and now - since >= timedelta(seconds=spec.ready_threshold)


def _signal(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    process = seen.facts.process
    if memory.phase is not Phase.LAUNCHED or process is None or memory.launches <= memory.stopped:
        return Noted(memory)  # nothing is started that could be seen
    unknown = process.presence is Presence.UNKNOWN
    if unknown and not memory.signal_lost and now - process.at >= timedelta(seconds=spec.signal_grace):
        word = Draft(EventType.SIGNAL_LOST, f"no signal: {process.detail}", Priority.ACTION, {"source": process.source})
        return Noted(replace(memory, signal_lost=True), (word,))
    if not unknown and memory.signal_lost:
        return Noted(replace(memory, signal_lost=False), (Draft(EventType.SIGNAL_REGAINED, "the session can be seen again"),))
    return Noted(memory)


def _pushed(_spec: Spec, seen: Seen, memory: LifecycleState, _now: datetime) -> Noted:
    forge = seen.facts.forge
    if forge is None or forge.pushed is None or forge.pushed == memory.pushed:
        return Noted(memory)
    words = f"its commit {forge.pushed[:10]} came onto the base by a push, not by a merge of Ennio's: perhaps nobody has reviewed it"
    word = Draft(EventType.BASE_PUSHED, words, Priority.ACTION, {"commit": forge.pushed})
    return Noted(replace(memory, pushed=forge.pushed), (word,))


def _forge_signal(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    """A forge that cannot be seen is told like a process that cannot be: what hangs on it is frozen too."""
    forge = seen.facts.forge
    if not spec.forge or forge is None or memory.status.terminal:
        return Noted(memory)
    unknown = forge.presence is Presence.UNKNOWN
    if unknown and not memory.forge_lost and now - forge.at >= timedelta(seconds=spec.signal_grace):
        word = Draft(EventType.SIGNAL_LOST, f"no signal of the forge: {forge.detail}", Priority.ACTION, {"source": forge.source})
        return Noted(replace(memory, forge_lost=True), (word,))
    if not unknown and memory.forge_lost:
        return Noted(replace(memory, forge_lost=False), (Draft(EventType.SIGNAL_REGAINED, "the forge can be seen again"),))
    return Noted(memory)


def _pull(_spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    pull = known_pull(seen)
    if pull is None:
        return Noted(memory)
    told = {"number": pull.number, "url": pull.url, "head": pull.head}
    events: list[Draft] = []
    if memory.pull != pull.number:
        events.append(Draft(EventType.PR_CREATED, f"pull request #{pull.number}: {pull.title}", data=told))
        memory = replace(memory, pull=pull.number, head=pull.head, head_at=pull.head_since or now, pull_state=PullState.OPEN)
    elif memory.head != pull.head:
        events.append(Draft(EventType.PR_UPDATED, f"#{pull.number} has a new head {pull.head[:10]}", data=told))
        memory = replace(memory, head=pull.head, head_at=pull.head_since or now)
    if memory.pull_state != pull.state:
        events.extend(_state_change(pull))
        memory = replace(memory, pull_state=pull.state.value)
    return Noted(memory, tuple(events))


def _state_change(pull: PullRequest) -> tuple[Draft, ...]:
    data = {"number": pull.number, "head": pull.head, "merge_commit": pull.merge_commit}
    match pull.state:
        case PullState.MERGED:
            data["by_push"] = pull.merged_by_push
            how = " by a push" if pull.merged_by_push else ""
            merged = Draft(EventType.PR_MERGED, f"#{pull.number} is merged{how}", data=data)
            return (merged, Draft(EventType.MERGE_COMPLETED, f"#{pull.number} is merged into {pull.base}{how}", data=data))
        case PullState.CLOSED:
            return (Draft(EventType.PR_CLOSED, f"#{pull.number} was closed unmerged", Priority.ACTION, data),)
        case PullState.OPEN:
            return (Draft(EventType.PR_UPDATED, f"#{pull.number} was opened again", data=data),)


def _checks(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    pull = known_pull(seen)
    if pull is None or pull.state is not PullState.OPEN:
        return Noted(memory)
    state = settled_checks(spec, memory, pull, now)
    told = f"{pull.head}:{state}"
    if state not in (CheckState.FAILING, CheckState.PASSING) or memory.checks == told:
        return Noted(memory)
    memory = replace(memory, checks=told)
    if state is CheckState.PASSING:
        word = Draft(EventType.CI_PASSING, passed(pull), data={"head": pull.head} | ({"unchecked": True} if pull.unchecked else {}))
        return Noted(replace(memory, red_heads=()), (word,))
    names = [check.name for check in pull.failing]
    word = Draft(EventType.CI_FAILING, f"checks failed on #{pull.number}: {', '.join(names)}", data={"head": pull.head, "checks": names})
    heads = memory.red_heads if pull.head in memory.red_heads else (*memory.red_heads, pull.head)
    return Noted(replace(memory, red_heads=heads), (word,))


def _place(_spec: Spec, seen: Seen, memory: LifecycleState, _now: datetime) -> Noted:
    """What a person or an agent did to the workspace is told once, and once more when it is right again."""
    place = seen.facts.place
    if place is None or place.detail == memory.place or memory.phase is not Phase.LAUNCHED:
        return Noted(memory)
    words = place.detail or "its working copy is as it should be again"
    priority = Priority.INFO if place.place.usable else Priority.ACTION
    data = {"step": "place", "place": place.place.value}
    return Noted(replace(memory, place=place.detail), (Draft(EventType.SESSION_STEP, words, priority, data),))


_REVIEW_EVENTS = {
    ReviewState.APPROVED: (EventType.REVIEW_APPROVED, "is approved"),
    ReviewState.CHANGES_REQUESTED: (EventType.REVIEW_CHANGES_REQUESTED, "should be changed, a reviewer says"),
    ReviewState.REQUIRED: (EventType.REVIEW_PENDING, "waits for a review"),
}


def _review(_spec: Spec, seen: Seen, memory: LifecycleState, _now: datetime) -> Noted:
    pull = known_pull(seen)
    if pull is None or pull.state is not PullState.OPEN or memory.review == pull.review:
        return Noted(memory)
    memory = replace(memory, review=pull.review.value)
    if pull.review not in _REVIEW_EVENTS:
        return Noted(memory)
    event_type, words = _REVIEW_EVENTS[pull.review]
    if pull.review is ReviewState.REQUIRED and pull.stale:
        words = f"has a new head {pull.head[:7]}, and its approval was of {pull.stale[0].head[:7]}: it waits for another look"
    return Noted(memory, (Draft(event_type, f"#{pull.number} {words}", data={"number": pull.number}),))


def mergeable(spec: Spec, memory: LifecycleState, pull: PullRequest, now: datetime) -> bool:
    """Approved at this very head (unless stale approvals count), green, known to be without conflicts, and not a draft."""
    return (
        pull.state is PullState.OPEN
        and not pull.draft
        and pull.review is ReviewState.APPROVED
        and (spec.count_stale or pull.approved_head)
        and pull.mergeability is Mergeability.CLEAN
        and settled_checks(spec, memory, pull, now) is CheckState.PASSING
    )


def _merge_ready(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Noted:
    pull = known_pull(seen)
    if pull is None or memory.merge_ready == pull.head or not mergeable(spec, memory, pull, now):
        return Noted(memory)
    told = {"number": pull.number, "head": pull.head}
    green = "has no checks" if pull.unchecked else "green"
    word = Draft(EventType.MERGE_READY, f"#{pull.number} is approved and {green}", Priority.ACTION, told)
    return Noted(replace(memory, merge_ready=pull.head), (word,))
