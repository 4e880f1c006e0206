"""What the forge tells of a session's pull request: the events that tell what is new of it, and
the status that an open one gives the session.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.evidence import Ground
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, Mergeability, Opinion, PullRequest, PullState, ReviewState
from ennio.model.session import Priority
from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle.state import Applied, DerivedStatus, Inputs, LifecycleState, Spec

BY_PUSH = "by a push, not by a merge of Ennio's"


def known_pull(inputs: Inputs) -> PullRequest | None:
    """The pull request, if the forge has told of one and can be seen now."""
    forge = inputs.facts.forge
    return forge.pull if forge is not None and forge.presence is Presence.ALIVE else None


def by_push(inputs: Inputs, pull: PullRequest) -> bool:
    """Whether a push merged it; where the forge does not tell, a merge without a commit of
    its own may have been one.
    """
    if pull.state is not PullState.MERGED:
        return False
    if pull.merged_by_push is not None:
        return pull.merged_by_push
    forge = inputs.facts.forge
    return forge is not None and forge.pushed is not None and pull.merge_commit == pull.head


def settled_checks(
    spec: Spec, state: LifecycleState, pull: PullRequest, until: datetime
) -> CheckState:
    """What the checks say, by a look at that moment; "there are none" counts as passing once the
    head had time to register some. Time in which nobody could see the forge is none: there may be
    no checks because it was away.
    """
    if pull.checks is not CheckState.NONE:
        return pull.checks
    settled = checks_settle_at(spec, state) if state.head == pull.head else None
    if settled is not None and state.unseen_at is None and until >= settled:
        return CheckState.PASSING
    return CheckState.NONE


def checks_settle_at(spec: Spec, state: LifecycleState) -> datetime | None:
    """From when on a look that sees no checks of the head sees that there are none."""
    if state.head_at is None:
        return None
    return state.head_at + timedelta(seconds=spec.checks_grace + state.unseen)


def look_due(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> datetime | None:
    """The moment from which on somebody has to look at the forge, where it has passed unseen."""
    forge, pull, settled = inputs.facts.forge, known_pull(inputs), checks_settle_at(spec, state)
    if forge is None or pull is None or pull.state is not PullState.OPEN or settled is None:
        return None
    waits = settled_checks(spec, state, pull, _seen_until(inputs, now)) is CheckState.NONE
    return settled if waits and forge.at < settled <= now else None


def _seen_until(inputs: Inputs, now: datetime) -> datetime:
    """Up to when the forge was looked at."""
    forge = inputs.facts.forge
    return now if forge is None else min(forge.at, now)


def passed(pull: PullRequest) -> str:
    """That nothing is red, in words: nobody is told that checks passed where none ran."""
    return (
        f"there are no checks of #{pull.number}"
        if pull.unchecked
        else f"the checks of #{pull.number} pass"
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


# --- what is new of it ----------------------------------------------------------------------------


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
            unseen=0.0,
            pull_state=PullState.OPEN,
        )
    elif state.head != pull.head:
        events.append(
            Draft(
                EventType.PR_UPDATED, f"#{pull.number} has a new head {pull.head[:10]}", data=told
            )
        )
        state = replace(state, head=pull.head, head_at=pull.head_since or now, unseen=0.0)
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
    checks = settled_checks(spec, state, pull, _seen_until(inputs, now))
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


def _merge_ready(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    pull = known_pull(inputs)
    if pull is None or state.merge_ready == pull.head:
        return Applied(state)
    if not mergeable(spec, state, pull, _seen_until(inputs, now)):
        return Applied(state)
    told = {"number": pull.number, "head": pull.head}
    green = "has no checks" if pull.unchecked else "green"
    word = Draft(
        EventType.MERGE_READY, f"#{pull.number} is approved and {green}", Priority.ACTION, told
    )
    return Applied(replace(state, merge_ready=pull.head), (word,))


def _seen(_spec: Spec, inputs: Inputs, state: LifecycleState, _now: datetime) -> Applied:
    """How long the forge could not be seen is no time in which checks were looked for."""
    forge = inputs.facts.forge
    if forge is None:
        return Applied(state)
    if forge.presence is Presence.UNKNOWN:
        return Applied(state if state.unseen_at else replace(state, unseen_at=forge.at))
    if state.unseen_at is None:
        return Applied(state)
    unseen = max(0.0, (forge.at - state.unseen_at).total_seconds())
    return Applied(replace(state, unseen_at=None, unseen=state.unseen + unseen))


NEWS = (_seen, _pushed, _pull, _checks, _review, _merge_ready)
"""Takes in what is new of it, in the order in which it must have happened."""


# --- the status it gives --------------------------------------------------------------------------


def by_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, pull: PullRequest, now: datetime
) -> DerivedStatus | None:
    """The rules for an open pull request, in the documented order."""
    checks = settled_checks(spec, state, pull, _seen_until(inputs, now))
    replaced_red = any(head != pull.head for head in state.red_heads)
    name = f"#{pull.number}"
    green = "there are no checks" if pull.unchecked else "its checks pass"

    def derived(status: S, rule: str, waited_for: tuple[Opinion, ...] = ()) -> DerivedStatus:
        return DerivedStatus(
            status, rule, (*forge_grounds(inputs), *_waited_for(inputs, waited_for))
        )

    if pull.mergeability is Mergeability.CONFLICTING:
        files = ", ".join(pull.conflicts[:5]) or "with its base"
        return derived(S.MERGE_CONFLICTS, f"{name} conflicts: {files}")
    if state.status is S.MERGE_CONFLICTS and pull.mergeability is Mergeability.UNKNOWN:
        return None
    if checks is CheckState.UNKNOWN:
        return None
    if checks is CheckState.FAILING:
        failing = ", ".join(check.name for check in pull.failing) or "checks"
        failed = f"{failing} failed on {pull.head[:10]}"
        if replaced_red:  # which had failed on that one is not known any more
            return derived(S.CI_FIX_FAILED, f"{failed}, which replaced a red head")
        return derived(S.CI_FAILED, failed)
    if checks is CheckState.PENDING and replaced_red:
        return derived(S.CI_FIX_SENT, f"checks run on {pull.head[:10]}, which replaced a red head")
    if pull.review is ReviewState.CHANGES_REQUESTED:
        rule = (
            f"{name} is {_answered(pull)}"
            if pull.answered
            else f"a reviewer of {name} asks for changes"
        )
        return derived(S.CHANGES_REQUESTED, rule, pull.answered)
    if pull.draft:
        return derived(S.PR_DRAFT, f"{name} is a draft")
    if checks in (CheckState.PENDING, CheckState.NONE):
        return derived(S.PR_OPEN, f"{name} is open, its checks are not through")
    if pull.review is ReviewState.APPROVED:
        stale = () if spec.count_stale else pull.stale
        return derived(
            S.APPROVED, f"{name} is approved{_of_another_head(pull, stale)} and {green}", stale
        )
    if pull.review is ReviewState.REQUIRED:
        wanted = (
            f"was approved at {pull.stale[0].head[:7]}; {pull.head[:7]} waits for another look"
            if pull.stale
            else "waits for a review"
        )
        return derived(S.REVIEW_PENDING, f"{name} {wanted}, {green}", pull.stale)
    return derived(S.CI_PASSING, f"{passed(pull)} on {pull.head[:10]}")


def _answered(pull: PullRequest) -> str:
    return f"answered by {pull.head[:7]}, waits for another look"


def _of_another_head(pull: PullRequest, stale: tuple[Opinion, ...]) -> str:
    return (
        f", but of {stale[0].head[:7] or 'another head'} and not of {pull.head[:7]},"
        if stale
        else ""
    )


def _waited_for(inputs: Inputs, opinions: tuple[Opinion, ...]) -> tuple[Ground, ...]:
    """Whose turn it is: reviewers who have not looked at the head there is now."""
    forge = inputs.facts.forge
    if forge is None:
        return ()
    did = {ReviewState.APPROVED: "approved", ReviewState.CHANGES_REQUESTED: "asked for changes on"}
    words = (
        f"the reviewer {one.author} is waited for, who {did[one.decision]} "
        f"{one.head[:7] or 'another head'}"
        for one in opinions
    )
    return tuple(Ground(what, forge.source, forge.at) for what in words)


def past_review(inputs: Inputs, pull: PullRequest) -> str:
    """How it came onto its base, where that was a push."""
    if not by_push(inputs, pull):
        return ""
    approved = pull.review is ReviewState.APPROVED and pull.approved_head
    return f" {BY_PUSH}" + ("" if approved else ": perhaps nobody has reviewed it")


def forge_grounds(inputs: Inputs) -> tuple[Ground, ...]:
    """What the forge was seen to say of it, none where there is none."""
    forge = inputs.facts.forge
    if forge is None or forge.pull is None:
        return ()
    pull = forge.pull
    what = (
        f"#{pull.number} {pull.state}, head {pull.head[:10]}, "
        f"{'no checks' if pull.unchecked else f'checks {pull.checks}'}, "
        f"review {pull.review}{' (stale)' if pull.stale else ''}, "
        f"mergeable {pull.mergeability}{', draft' if pull.draft else ''}"
    )
    return (Ground(what, forge.source, forge.at),)
