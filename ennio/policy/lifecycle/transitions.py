"""The statuses of a session, and the phases of its making, with the arrows between them.

A status is derived from the facts anew at each step (``status.derive``), so the table
drives nothing: it says what the rules together amount to, and tests hold the rules to it.
``rule`` is the function in ``status`` that gives the status. Rows of statuses stand in the
order in which the rules ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle.state import Phase

WITH_PULL = (
    S.PR_DRAFT,
    S.PR_OPEN,
    S.CI_PASSING,
    S.CI_FAILED,
    S.CI_FIX_SENT,
    S.CI_FIX_FAILED,
    S.REVIEW_PENDING,
    S.CHANGES_REQUESTED,
    S.APPROVED,
    S.MERGE_CONFLICTS,
)
"""What an open pull request is told by."""
GREEN = (S.CI_PASSING, S.REVIEW_PENDING, S.APPROVED)
"""The checks of its head pass: no red head is remembered."""
LIVE = (S.SPAWNING, S.WORKING, *WITH_PULL, S.EXITED)
"""Any of them may follow any other: what happened between two looks is not seen one by one."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A way into ``target``: from one of ``sources``, by ``rule``, when ``fact``
    says what ``when`` tells.
    """

    target: S
    rule: str
    fact: str
    when: str
    sources: tuple[S, ...] = LIVE


def _but(*statuses: S) -> tuple[S, ...]:
    return tuple(status for status in LIVE if status not in statuses)


TRANSITIONS = (
    Transition(
        S.DONE,
        "_by_rules",
        "state",
        "the workspace of a merged session has been removed",
        (S.MERGED,),
    ),
    Transition(S.KILLED, "_killed", "state", "a person ended it, and nothing of its agent is left"),
    Transition(S.MERGED, "_by_rules", "forge", "its pull request is merged"),
    Transition(
        S.EXITED, "_unlaunched", "state", "its start was refused, or tried in vain, and given up"
    ),
    Transition(
        S.SPAWNING,
        "_unlaunched",
        "state",
        "it waits to be admitted, or is being started or started again",
    ),
    Transition(S.EXITED, "_exited", "process", "the agent ended without exit code 0"),
    Transition(S.MERGE_CONFLICTS, "by_pull", "forge", "the pull request conflicts with its base"),
    Transition(
        S.CI_FIX_FAILED,
        "by_pull",
        "forge",
        "checks fail on a head that replaced a red one",
        _but(*GREEN),
    ),
    Transition(
        S.CI_FAILED, "by_pull", "forge", "checks fail on the first red head", _but(S.CI_FIX_FAILED)
    ),
    Transition(
        S.CI_FIX_SENT,
        "by_pull",
        "forge",
        "checks run on a head that replaced a red one",
        _but(*GREEN),
    ),
    Transition(S.CHANGES_REQUESTED, "by_pull", "forge", "a reviewer asks for changes"),
    Transition(S.PR_DRAFT, "by_pull", "forge", "the pull request is a draft"),
    Transition(
        S.PR_OPEN,
        "by_pull",
        "forge",
        "its checks are not through, or none have been registered yet",
    ),
    Transition(S.APPROVED, "by_pull", "forge", "its checks pass and it is approved"),
    Transition(S.REVIEW_PENDING, "by_pull", "forge", "its checks pass and a review is required"),
    Transition(S.CI_PASSING, "by_pull", "forge", "its checks pass and nobody has to review it"),
    Transition(
        S.DONE,
        "_with_closed_pull",
        "forge, process",
        "its pull request was closed unmerged and the agent ended",
    ),
    Transition(S.SPAWNING, "_alive", "process", "the agent runs and has not been ready yet"),
    Transition(S.WORKING, "_alive", "process", "the agent runs, and no pull request is open"),
    Transition(
        S.EXITED,
        "_ended_without_pull",
        "process, workspace",
        "the agent ended well, and work is left in its workspace",
    ),
    Transition(
        S.DONE,
        "_ended_without_pull",
        "process, workspace, forge",
        "the agent ended well and left nothing unpushed",
    ),
)
ARROWS = frozenset(
    (source, one.target)
    for one in TRANSITIONS
    for source in one.sources
    if source is not one.target
)


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """A way from one phase to another; ``when`` tells what brings it."""

    source: Phase
    target: Phase
    when: str


PHASES = (
    PhaseChange(Phase.NEW, Phase.WORKSPACE, "its working copy was made, or found"),
    PhaseChange(Phase.WORKSPACE, Phase.PREPARED, "links and post-create commands are through"),
    PhaseChange(Phase.PREPARED, Phase.LAUNCHING, "a launch is ordered, and written down"),
    PhaseChange(Phase.LAUNCHING, Phase.LAUNCHED, "the launch is confirmed, or seen to stand"),
    PhaseChange(Phase.LAUNCHED, Phase.LAUNCHING, "its agent ended, and is started again"),
    PhaseChange(Phase.LAUNCHED, Phase.PREPARED, "a person restores it"),
    PhaseChange(
        Phase.PREPARED, Phase.LAUNCHED, "it is to be started again, and its agent is seen to live"
    ),
    PhaseChange(
        Phase.WORKSPACE,
        Phase.NEW,
        "its start was given up and its working copy removed, or it is restored then",
    ),
    PhaseChange(
        Phase.LAUNCHING,
        Phase.NEW,
        "its start was given up and its working copy removed, or it is restored then",
    ),
    PhaseChange(
        Phase.PREPARED,
        Phase.NEW,
        "its working copy is gone before it was started again, and a person restores it",
    ),
    PhaseChange(Phase.LAUNCHED, Phase.NEW, "a person restores it when its working copy is gone"),
)
PHASE_ARROWS = frozenset((one.source, one.target) for one in PHASES)
