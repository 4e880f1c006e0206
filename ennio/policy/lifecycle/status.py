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
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase, Seen, Spec


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status, the rule that gave it in words, and the facts it rests on."""

    status: S
    rule: str
    grounds: tuple[Ground, ...] = ()
    outcome: str | None = None


def derive(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Verdict | None:
    """The status the facts amount to; None: what matters cannot be seen, so nothing changes.

    What is wrong with the workspace changes no status; it stands before the rule.
    """
    verdict, place = _derived(spec, seen, memory, now), seen.facts.place
    if verdict is None or verdict.status.terminal or place is None or not place.detail or memory.phase is not Phase.LAUNCHED:
        return verdict
    rule = f"{place.detail} ({verdict.rule})"
    return replace(verdict, rule=rule, grounds=(*verdict.grounds, Ground(place.detail, "workspace", place.at)))


def _derived(spec: Spec, seen: Seen, memory: LifecycleState, now: datetime) -> Verdict | None:
    if memory.status is S.MERGED and memory.cleaned_at is not None:
        how = f" {_BY_PUSH}" if memory.rule and _BY_PUSH in memory.rule else ""
        return Verdict(S.DONE, f"merged{how}, and its workspace has been cleaned", outcome="merged")
    if memory.status.terminal:
        return None
    if memory.killed_by is not None:
        return _killed(memory)
    pull = known_pull(seen)
    if pull is not None and pull.state is PullState.MERGED:
        return Verdict(S.MERGED, f"pull request #{pull.number} is merged{_past_review(seen, pull)}", _forge_grounds(seen), outcome="merged")
    if memory.phase is not Phase.LAUNCHED:
        return _unlaunched(seen, memory, pull, spec, now)
    if pull is not None and pull.state is PullState.OPEN:
        return _with_open_pull(spec, seen, memory, pull, now)
    if pull is not None:
        return _with_closed_pull(seen, memory, pull)
    return _without_pull(spec, seen, memory)


_BY_PUSH = "by a push, not by a merge of Ennio's"


def _past_review(seen: Seen, pull: PullRequest) -> str:
    """How it came onto its base, where that was a push."""
    if not _is_pushed(seen, pull):
        return ""
    approved = pull.review is ReviewState.APPROVED and pull.approved_head
    return f" {_BY_PUSH}" + ("" if approved else ": perhaps nobody has reviewed it")


def _is_pushed(seen: Seen, pull: PullRequest) -> bool:
    """Where the forge does not tell, a merge that made no commit of its own may have been a push."""
    if pull.merged_by_push is not None:
        return pull.merged_by_push
    forge = seen.facts.forge
    return forge is not None and forge.pushed is not None and pull.merge_commit == pull.head


def _killed(memory: LifecycleState) -> Verdict:
    """Killed means dead: until nothing of the agent is left, it is only being ended."""
    if memory.under_way:
        return Verdict(memory.status, f"being ended for {memory.killed_by}: what was started has not been seen to end yet")
    return Verdict(S.KILLED, f"killed by {memory.killed_by}")


def known_pull(seen: Seen) -> PullRequest | None:
    """The pull request, if the forge has told of one and can be seen now."""
    forge = seen.facts.forge
    return forge.pull if forge is not None and forge.presence is Presence.ALIVE else None


def ended_well(process: ProcessSeen) -> bool:
    """The process ended by itself and said that all went well."""
    return process.exit_code == 0 and process.signal is None


def _unlaunched(seen: Seen, memory: LifecycleState, pull: PullRequest | None, spec: Spec, now: datetime) -> Verdict | None:
    if memory.desired is Desired.WATCH and memory.failure is not None:
        return Verdict(S.EXITED, f"it could not be started: {memory.failure}", (Ground(memory.failure, "spawn", memory.status_since),))
    if pull is not None and pull.state is PullState.OPEN:
        return _by_pull(spec, seen, memory, pull, now)
    if memory.desired is Desired.RUN and memory.failure is not None:
        ground = Ground(memory.failure, "spawn", memory.status_since)
        return Verdict(S.SPAWNING, f"being started; the last try failed, and another follows: {memory.failure}", (ground,))
    return Verdict(S.SPAWNING, "waiting to be admitted" if memory.desired is Desired.WAIT else "being started")


def _with_open_pull(spec: Spec, seen: Seen, memory: LifecycleState, pull: PullRequest, now: datetime) -> Verdict | None:
    process = seen.facts.process
    if process is not None and process.presence is Presence.GONE and not ended_well(process):
        return _exited(process)
    if memory.status is S.EXITED and (process is None or process.presence is Presence.UNKNOWN):
        return None
    return _by_pull(spec, seen, memory, pull, now)


def _by_pull(spec: Spec, seen: Seen, memory: LifecycleState, pull: PullRequest, now: datetime) -> Verdict | None:
    """The rules for an open pull request, in the documented order."""
    checks = settled_checks(spec, memory, pull, now)
    replaced_red = any(head != pull.head for head in memory.red_heads)
    name = f"#{pull.number}"
    green = "there are no checks" if pull.unchecked else "its checks pass"

    def verdict(status: S, rule: str, waited_for: tuple[Opinion, ...] = ()) -> Verdict:
        return Verdict(status, rule, (*_forge_grounds(seen), *_waited_for(seen, waited_for)))

    if pull.mergeability is Mergeability.CONFLICTING:
        files = ", ".join(pull.conflicts[:5]) or "with its base"
        return verdict(S.MERGE_CONFLICTS, f"{name} conflicts: {files}")
    if memory.status is S.MERGE_CONFLICTS and pull.mergeability is Mergeability.UNKNOWN:
        return None
    if checks is CheckState.UNKNOWN:
        return None
    if checks is CheckState.FAILING:
        failing = ", ".join(check.name for check in pull.failing) or "checks"
        if replaced_red:
            return verdict(S.CI_FIX_FAILED, f"{failing} failed again on {pull.head[:10]}, after a fix was sent")
        return verdict(S.CI_FAILED, f"{failing} failed on {pull.head[:10]}")
    if checks is CheckState.PENDING and replaced_red:
        return verdict(S.CI_FIX_SENT, f"checks run on {pull.head[:10]}, which replaced a red head")
    if pull.review is ReviewState.CHANGES_REQUESTED:
        rule = f"{name} is {_answered(pull)}" if pull.answered else f"a reviewer of {name} asks for changes"
        return verdict(S.CHANGES_REQUESTED, rule, pull.answered)
    if pull.draft:
        return verdict(S.PR_DRAFT, f"{name} is a draft")
    if checks in (CheckState.PENDING, CheckState.NONE):
        return verdict(S.PR_OPEN, f"{name} is open, its checks are not through")
    if pull.review is ReviewState.APPROVED:
        stale = () if spec.count_stale else pull.stale
        return verdict(S.APPROVED, f"{name} is approved{_of_another_head(pull, stale)} and {green}", stale)
    if pull.review is ReviewState.REQUIRED:
        wanted = f"was approved at {pull.stale[0].head[:7]}; {pull.head[:7]} waits for another look" if pull.stale else "waits for a review"
        return verdict(S.REVIEW_PENDING, f"{name} {wanted}, {green}", pull.stale)
    return verdict(S.CI_PASSING, f"{passed(pull)} on {pull.head[:10]}")


def passed(pull: PullRequest) -> str:
    """That nothing is red, in words: nobody is told that checks passed where none ran."""
    return f"there are no checks of #{pull.number}" if pull.unchecked else f"the checks of #{pull.number} pass"


def _answered(pull: PullRequest) -> str:
    return f"answered by {pull.head[:7]}, waits for another look"


def _of_another_head(pull: PullRequest, stale: tuple[Opinion, ...]) -> str:
    return f", but of {stale[0].head[:7] or 'another head'} and not of {pull.head[:7]}," if stale else ""


def _waited_for(seen: Seen, opinions: tuple[Opinion, ...]) -> tuple[Ground, ...]:
    """Whose turn it is: reviewers who have not looked at the head there is now."""
    forge = seen.facts.forge
    if forge is None:
        return ()
    did = {ReviewState.APPROVED: "approved", ReviewState.CHANGES_REQUESTED: "asked for changes on"}
    words = (f"the reviewer {one.author} is waited for, who {did[one.decision]} {one.head[:7] or 'another head'}" for one in opinions)
    return tuple(Ground(what, forge.source, forge.at) for what in words)


def settled_checks(spec: Spec, memory: LifecycleState, pull: PullRequest, now: datetime) -> CheckState:
    """What the checks say; "there are none" counts as passing once the head had time to register some."""
    if pull.checks is not CheckState.NONE:
        return pull.checks
    since = memory.head_at if memory.head == pull.head else None
    if since is not None and now - since >= timedelta(seconds=spec.checks_grace):
        return CheckState.PASSING
    return CheckState.NONE


def _with_closed_pull(seen: Seen, memory: LifecycleState, pull: PullRequest) -> Verdict | None:
    process = seen.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        return _alive(process, memory, f"#{pull.number} was closed unmerged; the agent is still there")
    return Verdict(S.DONE, f"#{pull.number} was closed unmerged and the agent has ended", _forge_grounds(seen), outcome="closed")


def _without_pull(spec: Spec, seen: Seen, memory: LifecycleState) -> Verdict | None:
    process = seen.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        if memory.pull is not None and not _proven_absent(spec, seen):
            return None
        return _alive(process, memory, "the agent is alive and there is no pull request yet")
    if not ended_well(process):
        return _exited(process)
    return _ended_without_pull(spec, seen, memory, process)


def _ended_without_pull(spec: Spec, seen: Seen, memory: LifecycleState, process: ProcessSeen) -> Verdict | None:
    """Exit 0 without a pull request is done only when nothing would be lost and the forge has no news."""
    workspace = seen.facts.workspace
    if memory.inspected < memory.launches or workspace is None:
        return None
    if not workspace.settled:
        lost = f"{workspace.uncommitted} uncommitted paths, {workspace.unpushed} unpushed commits"
        grounds = (_process_ground(process), Ground(lost, "git", workspace.at))
        return Verdict(S.EXITED, f"it ended without handing in its work: {lost}", grounds)
    if not _proven_absent(spec, seen):
        return None
    return Verdict(S.DONE, "it ended well and left nothing behind", (_process_ground(process),), outcome="finished")


def _proven_absent(spec: Spec, seen: Seen) -> bool:
    forge = seen.facts.forge
    return not spec.forge or (forge is not None and forge.presence is Presence.GONE)


def _alive(process: ProcessSeen, memory: LifecycleState, rule: str) -> Verdict:
    if memory.ready_at is None:
        return Verdict(S.SPAWNING, "the agent was started and is not ready yet", (_process_ground(process),))
    return Verdict(S.WORKING, rule, (_process_ground(process),))


def _exited(process: ProcessSeen) -> Verdict:
    return Verdict(S.EXITED, f"the agent {end_of(process)}", (_process_ground(process),))


def end_of(process: ProcessSeen) -> str:
    """How a process ended, in words."""
    if process.signal is not None:
        return f"was ended by signal {process.signal}"
    if process.exit_code is not None:
        return f"ended with exit code {process.exit_code}"
    return "vanished without an exit code"


def _process_ground(process: ProcessSeen) -> Ground:
    what = {Presence.ALIVE: f"process {process.pid} is alive", Presence.GONE: f"the process {end_of(process)}"}
    return Ground(what.get(process.presence, process.detail), process.source, process.at)


def _forge_grounds(seen: Seen) -> tuple[Ground, ...]:
    forge = seen.facts.forge
    if forge is None or forge.pull is None:
        return ()
    pull = forge.pull
    what = (
        f"#{pull.number} {pull.state}, head {pull.head[:10]}, {'no checks' if pull.unchecked else f'checks {pull.checks}'}, "
        f"review {pull.review}{' (stale)' if pull.stale else ''}, "
        f"mergeable {pull.mergeability}{', draft' if pull.draft else ''}"
    )
    return (Ground(what, forge.source, forge.at),)
