"""The status of a session, derived from facts: the first rule that matches, with its grounds.

Terminal states are never left (but a merged session is done once its workspace is gone). A rule
that needs a fact nobody could see answers None: the status stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.evidence import Ground
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.pulls import CheckState, Mergeability, Opinion, PullRequest, PullState, ReviewState
from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle import parking
from ennio.policy.lifecycle.state import Desired, Inputs, LifecycleState, Phase, Spec


@dataclass(frozen=True, slots=True)
class DerivedStatus:
    """A status, the rule that gave it in words, and the facts it rests on."""

    status: S
    rule: str
    grounds: tuple[Ground, ...] = ()
    outcome: str | None = None


def derive(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> DerivedStatus | None:
    """The status the facts amount to; None: what matters cannot be seen, so nothing changes.

    What is wrong with the workspace, or that its plan is used up, changes no status; it stands
    before the rule.
    """
    derived = _parked(state, _by_rules(spec, inputs, state, now), now)
    place = inputs.facts.place
    if (
        derived is None
        or derived.status.terminal
        or place is None
        or not place.detail
        or state.phase is not Phase.LAUNCHED
    ):
        return derived
    rule = f"{place.detail} ({derived.rule})"
    return replace(
        derived, rule=rule, grounds=(*derived.grounds, Ground(place.detail, "workspace", place.at))
    )


def _parked(
    state: LifecycleState, derived: DerivedStatus | None, now: datetime
) -> DerivedStatus | None:
    note = parking.note(state, now)
    if derived is None or derived.status.terminal or not note or state.parked is None:
        return derived
    ground = Ground(note, "agent", state.parked.refused_at)
    return replace(derived, rule=f"{note} ({derived.rule})", grounds=(*derived.grounds, ground))


def _by_rules(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> DerivedStatus | None:
    if state.status is S.MERGED and state.cleaned_at is not None:
        how = f" {_BY_PUSH}" if state.by_push else ""
        return DerivedStatus(
            S.DONE, f"merged{how}, and its workspace has been cleaned", outcome="merged"
        )
    if state.status.terminal:
        return None
    if state.killed_by is not None:
        return _killed(state)
    pull = known_pull(inputs)
    if pull is not None and pull.state is PullState.MERGED:
        rule = f"pull request #{pull.number} is merged{_past_review(inputs, pull)}"
        return DerivedStatus(S.MERGED, rule, _forge_grounds(inputs), outcome="merged")
    if state.phase is not Phase.LAUNCHED:
        return _unlaunched(inputs, state, pull, spec, now)
    if pull is not None and pull.state is PullState.OPEN:
        return _with_open_pull(spec, inputs, state, pull, now)
    if pull is not None:
        return _with_closed_pull(inputs, state, pull)
    return _without_pull(spec, inputs, state)


_BY_PUSH = "by a push, not by a merge of Ennio's"


def _past_review(inputs: Inputs, pull: PullRequest) -> str:
    """How it came onto its base, where that was a push."""
    if not by_push(inputs, pull):
        return ""
    approved = pull.review is ReviewState.APPROVED and pull.approved_head
    return f" {_BY_PUSH}" + ("" if approved else ": perhaps nobody has reviewed it")


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


def _killed(state: LifecycleState) -> DerivedStatus:
    """Killed means dead: until nothing of the agent is left, it is only being ended."""
    if state.under_way:
        return DerivedStatus(
            state.status,
            f"being ended for {state.killed_by}: what was started has not been seen to end yet",
        )
    return DerivedStatus(S.KILLED, f"killed by {state.killed_by}")


def known_pull(inputs: Inputs) -> PullRequest | None:
    """The pull request, if the forge has told of one and can be seen now."""
    forge = inputs.facts.forge
    return forge.pull if forge is not None and forge.presence is Presence.ALIVE else None


def ended_well(process: ProcessSeen) -> bool:
    """The process ended by itself and said that all went well."""
    return process.exit_code == 0 and process.signal is None


def _unlaunched(
    inputs: Inputs, state: LifecycleState, pull: PullRequest | None, spec: Spec, now: datetime
) -> DerivedStatus | None:
    if state.desired is Desired.WATCH and state.failure is not None:
        return DerivedStatus(
            S.EXITED,
            f"it could not be started: {state.failure}",
            (Ground(state.failure, "spawn", state.status_since),),
        )
    if pull is not None and pull.state is PullState.OPEN:
        return _by_pull(spec, inputs, state, pull, now)
    if state.desired is Desired.RUN and state.failure is not None:
        ground = Ground(state.failure, "spawn", state.status_since)
        return DerivedStatus(
            S.SPAWNING,
            f"being started; the last try failed, and another follows: {state.failure}",
            (ground,),
        )
    return DerivedStatus(
        S.SPAWNING, "waiting to be admitted" if state.desired is Desired.WAIT else "being started"
    )


def _with_open_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, pull: PullRequest, now: datetime
) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is not None and process.presence is Presence.GONE and not ended_well(process):
        return _exited(process)
    if state.status is S.EXITED and (process is None or process.presence is Presence.UNKNOWN):
        return None
    return _by_pull(spec, inputs, state, pull, now)


def _by_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, pull: PullRequest, now: datetime
) -> DerivedStatus | None:
    """The rules for an open pull request, in the documented order."""
    checks = settled_checks(spec, state, pull, now)
    replaced_red = any(head != pull.head for head in state.red_heads)
    name = f"#{pull.number}"
    green = "there are no checks" if pull.unchecked else "its checks pass"

    def derived(status: S, rule: str, waited_for: tuple[Opinion, ...] = ()) -> DerivedStatus:
        return DerivedStatus(
            status, rule, (*_forge_grounds(inputs), *_waited_for(inputs, waited_for))
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
        if replaced_red:
            return derived(
                S.CI_FIX_FAILED, f"{failing} failed again on {pull.head[:10]}, after a fix was sent"
            )
        return derived(S.CI_FAILED, f"{failing} failed on {pull.head[:10]}")
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


def passed(pull: PullRequest) -> str:
    """That nothing is red, in words: nobody is told that checks passed where none ran."""
    return (
        f"there are no checks of #{pull.number}"
        if pull.unchecked
        else f"the checks of #{pull.number} pass"
    )


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


def settled_checks(
    spec: Spec, state: LifecycleState, pull: PullRequest, now: datetime
) -> CheckState:
    """What the checks say; "there are none" counts as passing once the head
    had time to register some.
    """
    if pull.checks is not CheckState.NONE:
        return pull.checks
    since = state.head_at if state.head == pull.head else None
    if since is not None and now - since >= timedelta(seconds=spec.checks_grace):
        return CheckState.PASSING
    return CheckState.NONE


def _with_closed_pull(
    inputs: Inputs, state: LifecycleState, pull: PullRequest
) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        return _alive(
            inputs, process, state, f"#{pull.number} was closed unmerged; the agent is still there"
        )
    return DerivedStatus(
        S.DONE,
        f"#{pull.number} was closed unmerged and the agent has ended",
        _forge_grounds(inputs),
        outcome="closed",
    )


def _without_pull(spec: Spec, inputs: Inputs, state: LifecycleState) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        if state.pull is not None and not _proven_absent(spec, inputs):
            return None
        return _alive(inputs, process, state, "the agent is alive and there is no pull request yet")
    if not ended_well(process):
        return _exited(process)
    return _ended_without_pull(spec, inputs, state, process)


def _ended_without_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, process: ProcessSeen
) -> DerivedStatus | None:
    """Exit 0 without a pull request is done only when nothing would be lost
    and the forge has no news.
    """
    workspace = inputs.facts.workspace
    if state.inspected < state.launches or workspace is None:
        return None
    if not workspace.settled:
        lost = f"{workspace.uncommitted} uncommitted paths, {workspace.unpushed} unpushed commits"
        grounds = (_process_ground(process), Ground(lost, "git", workspace.at))
        return DerivedStatus(S.EXITED, f"it ended without handing in its work: {lost}", grounds)
    if not _proven_absent(spec, inputs):
        return None
    return DerivedStatus(
        S.DONE,
        "it ended well and left nothing unpushed",
        (_process_ground(process),),
        outcome="finished",
    )


def _proven_absent(spec: Spec, inputs: Inputs) -> bool:
    forge = inputs.facts.forge
    return not spec.forge or (forge is not None and forge.presence is Presence.GONE)


def _alive(inputs: Inputs, process: ProcessSeen, state: LifecycleState, rule: str) -> DerivedStatus:
    if state.ready_at is None:
        told = inputs.facts.agent
        why = f": {told.detail}" if told is not None and told.detail else ""
        return DerivedStatus(
            S.SPAWNING,
            f"the agent was started and is not ready yet{why}",
            (_process_ground(process),),
        )
    return DerivedStatus(S.WORKING, rule, (_process_ground(process),))


def _exited(process: ProcessSeen) -> DerivedStatus:
    return DerivedStatus(S.EXITED, f"the agent {end_of(process)}", (_process_ground(process),))


def end_of(process: ProcessSeen) -> str:
    """How a process ended, in words, and what it said last."""
    said = f': "{process.last_line}"' if process.last_line else ""
    if process.signal is not None:
        return f"was ended by signal {process.signal}{said}"
    if process.exit_code is not None:
        return f"ended with exit code {process.exit_code}{said}"
    return f"vanished without an exit code{said}"


def _process_ground(process: ProcessSeen) -> Ground:
    what = {
        Presence.ALIVE: f"process {process.pid} is alive",
        Presence.GONE: f"the process {end_of(process)}",
    }
    return Ground(what.get(process.presence, process.detail), process.source, process.at)


def _forge_grounds(inputs: Inputs) -> tuple[Ground, ...]:
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
