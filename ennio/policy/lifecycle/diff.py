"""What the facts bring that was not known before: remembered, and told as events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Priority
from ennio.policy.lifecycle.activity import seen_until
from ennio.policy.lifecycle.state import Desired, Inputs, LifecycleState, Phase, Spec
from ennio.policy.lifecycle.status import by_push, known_pull, passed, settled_checks


@dataclass(frozen=True, slots=True)
class Applied:
    """The state with what was new in it, and the events that tell of them."""

    state: LifecycleState
    events: tuple[Draft, ...] = ()


def apply(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """Take in everything new, in the order in which it must have happened."""
    events: list[Draft] = []
    for part in (
        _adoption,
        _readiness,
        _signal,
        _forge_signal,
        _pushed,
        _pull,
        _checks,
        _review,
        _merge_ready,
        _place,
    ):
        applied = part(spec, inputs, state, now)
        state = applied.state
        events.extend(applied.events)
    return Applied(state, tuple(events))


def _adoption(_spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """A launch that was given up, or overtaken by a kill, and yet stands:
    it happened all the same.
    """
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHING or state.desired is Desired.RUN or inputs.busy:
        return Applied(state)
    if (
        process is None
        or process.presence is not Presence.ALIVE
        or process.number != state.launches
    ):
        return Applied(state)
    return Applied(replace(state, phase=Phase.LAUNCHED, launched_at=now, failure=None))


def _readiness(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED or state.ready_at is not None:
        return Applied(state)
    if (
        process is None
        or process.presence is not Presence.ALIVE
        or not _is_ready(spec, inputs, state, seen_until(process, now))
    ):
        return Applied(state)
    word = Draft(
        EventType.SESSION_WORKING,
        "the agent is ready and has begun",
        data={"launch": state.launches},
    )
    return Applied(replace(state, ready_at=now), (word,))


def _is_ready(spec: Spec, inputs: Inputs, state: LifecycleState, until: datetime) -> bool:
    agent = inputs.facts.agent
    if agent is not None and agent.ready:
        return True
    since = state.launched_at or until
    return not spec.tells and until - since >= timedelta(seconds=spec.ready_threshold)


def _signal(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED or process is None or state.launches <= state.stopped:
        return Applied(state)  # nothing is started that could be seen
    unknown = process.presence is Presence.UNKNOWN
    if (
        unknown
        and not state.signal_lost
        and now - process.at >= timedelta(seconds=spec.signal_grace)
    ):
        word = Draft(
            EventType.SIGNAL_LOST,
            f"no signal: {process.detail}",
            Priority.ACTION,
            {"source": process.source},
        )
        return Applied(replace(state, signal_lost=True), (word,))
    if not unknown and state.signal_lost:
        return Applied(
            replace(state, signal_lost=False),
            (Draft(EventType.SIGNAL_REGAINED, "the session can be seen again"),),
        )
    return Applied(state)


def _pushed(_spec: Spec, inputs: Inputs, state: LifecycleState, _now: datetime) -> Applied:
    forge = inputs.facts.forge
    if forge is None or forge.pushed is None or forge.pushed == state.pushed:
        return Applied(state)
    words = (
        f"its commit {forge.pushed[:10]} came onto the base by a push, not by a merge of "
        "Ennio's: perhaps nobody has reviewed it"
    )
    word = Draft(EventType.BASE_PUSHED, words, Priority.ACTION, {"commit": forge.pushed})
    return Applied(replace(state, pushed=forge.pushed), (word,))


def _forge_signal(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """A forge that cannot be seen is told like a process that cannot be: what
    hangs on it is frozen too.
    """
    forge = inputs.facts.forge
    if not spec.forge or forge is None or state.status.terminal:
        return Applied(state)
    unknown = forge.presence is Presence.UNKNOWN
    if unknown and not state.forge_lost and now - forge.at >= timedelta(seconds=spec.signal_grace):
        word = Draft(
            EventType.SIGNAL_LOST,
            f"no signal of the forge: {forge.detail}",
            Priority.ACTION,
            {"source": forge.source},
        )
        return Applied(replace(state, forge_lost=True), (word,))
    if not unknown and state.forge_lost:
        return Applied(
            replace(state, forge_lost=False),
            (Draft(EventType.SIGNAL_REGAINED, "the forge can be seen again"),),
        )
    return Applied(state)


def _pull(_spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    pull = known_pull(inputs)
    if pull is None:
        return Applied(state)
    told = {"number": pull.number, "url": pull.url, "head": pull.head}
    events: list[Draft] = []
    if state.pull != pull.number:
        events.append(
            Draft(EventType.PR_CREATED, f"pull request #{pull.number}: {pull.title}", data=told)
        )
        state = replace(
            state,
            pull=pull.number,
            head=pull.head,
            head_at=pull.head_since or now,
            pull_state=PullState.OPEN,
        )
    elif state.head != pull.head:
        events.append(
            Draft(
                EventType.PR_UPDATED, f"#{pull.number} has a new head {pull.head[:10]}", data=told
            )
        )
        state = replace(state, head=pull.head, head_at=pull.head_since or now)
    if state.pull_state != pull.state:
        events.extend(_state_change(pull))
        state = replace(state, pull_state=pull.state, by_push=by_push(inputs, pull))
    return Applied(state, tuple(events))


def _state_change(pull: PullRequest) -> tuple[Draft, ...]:
    data = {"number": pull.number, "head": pull.head, "merge_commit": pull.merge_commit}
    match pull.state:
        case PullState.MERGED:
            data["by_push"] = pull.merged_by_push
            how = " by a push" if pull.merged_by_push else ""
            merged = Draft(EventType.PR_MERGED, f"#{pull.number} is merged{how}", data=data)
            return (
                merged,
                Draft(
                    EventType.MERGE_COMPLETED,
                    f"#{pull.number} is merged into {pull.base}{how}",
                    data=data,
                ),
            )
        case PullState.CLOSED:
            return (
                Draft(
                    EventType.PR_CLOSED,
                    f"#{pull.number} was closed unmerged",
                    Priority.ACTION,
                    data,
                ),
            )
        case PullState.OPEN:
            return (Draft(EventType.PR_UPDATED, f"#{pull.number} was opened again", data=data),)


def _checks(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    pull = known_pull(inputs)
    if pull is None or pull.state is not PullState.OPEN:
        return Applied(state)
    checks = settled_checks(spec, state, pull, now)
    if checks not in (CheckState.FAILING, CheckState.PASSING):
        return Applied(state)
    if (state.checks_head, state.checks) == (pull.head, checks):
        return Applied(state)
    state = replace(state, checks_head=pull.head, checks=checks)
    if checks is CheckState.PASSING:
        word = Draft(
            EventType.CI_PASSING,
            passed(pull),
            data={"head": pull.head} | ({"unchecked": True} if pull.unchecked else {}),
        )
        return Applied(replace(state, red_heads=()), (word,))
    names = [check.name for check in pull.failing]
    word = Draft(
        EventType.CI_FAILING,
        f"checks failed on #{pull.number}: {', '.join(names)}",
        data={"head": pull.head, "checks": names},
    )
    heads = state.red_heads if pull.head in state.red_heads else (*state.red_heads, pull.head)
    return Applied(replace(state, red_heads=heads), (word,))


def _place(_spec: Spec, inputs: Inputs, state: LifecycleState, _now: datetime) -> Applied:
    """What a person or an agent did to the workspace is told once, and once
    more when it is right again.
    """
    place = inputs.facts.place
    if place is None or place.detail == state.place or state.phase is not Phase.LAUNCHED:
        return Applied(state)
    words = place.detail or "its working copy is as it should be again"
    priority = Priority.INFO if place.place.usable else Priority.ACTION
    data = {"step": "place", "place": place.place.value}
    return Applied(
        replace(state, place=place.detail), (Draft(EventType.SESSION_STEP, words, priority, data),)
    )


_REVIEW_EVENTS = {
    ReviewState.APPROVED: (EventType.REVIEW_APPROVED, "is approved"),
    ReviewState.CHANGES_REQUESTED: (
        EventType.REVIEW_CHANGES_REQUESTED,
        "should be changed, a reviewer says",
    ),
    ReviewState.REQUIRED: (EventType.REVIEW_PENDING, "waits for a review"),
}


def _review(_spec: Spec, inputs: Inputs, state: LifecycleState, _now: datetime) -> Applied:
    pull = known_pull(inputs)
    if pull is None or pull.state is not PullState.OPEN or state.review == pull.review:
        return Applied(state)
    state = replace(state, review=pull.review)
    if pull.review not in _REVIEW_EVENTS:
        return Applied(state)
    event_type, words = _REVIEW_EVENTS[pull.review]
    if pull.review is ReviewState.REQUIRED and pull.stale:
        words = (
            f"has a new head {pull.head[:7]}, and its approval was of {pull.stale[0].head[:7]}: "
            "it waits for another look"
        )
    return Applied(
        state, (Draft(event_type, f"#{pull.number} {words}", data={"number": pull.number}),)
    )


def mergeable(spec: Spec, state: LifecycleState, pull: PullRequest, now: datetime) -> bool:
    """Approved at this very head (unless stale approvals count), green, known to be without
    conflicts, and not a draft.
    """
    return (
        pull.state is PullState.OPEN
        and not pull.draft
        and pull.review is ReviewState.APPROVED
        and (spec.count_stale or pull.approved_head)
        and pull.mergeability is Mergeability.CLEAN
        and settled_checks(spec, state, pull, now) is CheckState.PASSING
    )


def _merge_ready(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    pull = known_pull(inputs)
    if pull is None or state.merge_ready == pull.head or not mergeable(spec, state, pull, now):
        return Applied(state)
    told = {"number": pull.number, "head": pull.head}
    green = "has no checks" if pull.unchecked else "green"
    word = Draft(
        EventType.MERGE_READY, f"#{pull.number} is approved and {green}", Priority.ACTION, told
    )
    return Applied(replace(state, merge_ready=pull.head), (word,))
