"""Pull requests as any forge tells them: checks, reviews, threads, conflicts. All frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TOLD = "<!-- ennio:told -->"
"""A hidden line in what a person says on a forge and has said to the agent already."""


class PullState(StrEnum):
    """Whether a pull request is still to be decided."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class CheckState(StrEnum):
    """What one check says, or all of them together (``none``: there are
    none; ``unknown``: not seen).
    """

    NONE = "none"
    PENDING = "pending"
    PASSING = "passing"
    FAILING = "failing"
    UNKNOWN = "unknown"


class ReviewState(StrEnum):
    """What the reviewers have decided; ``required``: a review is required or asked for."""

    NONE = "none"
    REQUIRED = "required"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class Mergeability(StrEnum):
    """Whether head and base merge by themselves; forges need a while to find out."""

    CLEAN = "clean"
    CONFLICTING = "conflicting"
    UNKNOWN = "unknown"


class MergeMethod(StrEnum):
    """How a pull request becomes part of its base."""

    SQUASH = "squash"
    MERGE = "merge"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one head. ``id`` is unique per run, ``log_tail`` the
    last lines of a failing one.

    ``unread``: these lines could not be read yet and are asked for again soon.
    """

    id: str
    name: str
    state: CheckState
    url: str | None = None
    log_tail: str = ""
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment or review on a pull request; ``path`` and ``line`` when it hangs on a line.

    ``thread`` groups comments that answer one another; ``decision`` is set on a review's own
    body. ``own`` is True for answers of the account that Ennio or the agent itself uses: they
    are no news to the agent. So is what is ``told``: the agent has it in a message that it got
    together with the comment.
    """

    id: str
    author: str
    body: str
    at: datetime
    bot: bool = False
    path: str | None = None
    line: int | None = None
    url: str | None = None
    thread: str | None = None
    decision: ReviewState | None = None
    own: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reviewer has decided and still stands for, and the head it is
    about (empty: not known). ``yours``: it was given with the account that Ennio uses.
    """

    author: str
    decision: ReviewState
    head: str
    yours: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request at one moment.

    ``comments`` are those the agent should still answer: unresolved threads, bodies of reviews that
    ask for changes and still count, the conversation, and what bots wrote. ``opinions`` are the
    approvals and requests for changes that stand; None: the forge does not tell of which head they
    are. ``merged_by_push``: it came onto its base by somebody's push, and by no merge of the forge
    (None: it is not merged, or the forge does not tell). ``merging``: the forge has been told to
    merge it, and does it when it can (merge queue, auto-merge). ``asked`` are those whose review is
    asked for, ``asks_you``: that of the account that Ennio uses is among them. ``own``: this
    account opened it, so that the forge takes no verdict on it from there.
    """

    number: int
    url: str
    title: str
    branch: str
    base: str
    head: str
    state: PullState
    draft: bool = False
    base_head: str | None = None
    mergeability: Mergeability = Mergeability.UNKNOWN
    conflicts: tuple[str, ...] = ()
    checks: CheckState = CheckState.UNKNOWN
    check_runs: tuple[Check, ...] = ()
    review: ReviewState = ReviewState.NONE
    comments: tuple[Comment, ...] = ()
    merge_commit: str | None = None
    head_since: datetime | None = None
    merging: bool = False
    opinions: tuple[Opinion, ...] | None = None
    merged_by_push: bool | None = None
    asked: tuple[str, ...] = ()
    asks_you: bool = False
    own: bool = False

    @property
    def approved_head(self) -> bool:
        """Whether somebody approved this very head; a forge that does not tell
        of which head is believed.
        """
        return self.opinions is None or any(
            one.head == self.head for one in self._of(ReviewState.APPROVED)
        )

    @property
    def stale(self) -> tuple[Opinion, ...]:
        """Approvals of another head, where none is of this one."""
        return () if self.opinions is None or self.approved_head else self._of(ReviewState.APPROVED)

    @property
    def answered(self) -> tuple[Opinion, ...]:
        """Requests for changes that a new head has answered since, where none is about this one."""
        asked = self._of(ReviewState.CHANGES_REQUESTED)
        return () if any(one.head == self.head for one in asked) else asked

    @property
    def waits_for_you(self) -> bool:
        """Whether a review of the account that Ennio uses is wanted: asked for, or another look."""
        return self.asks_you or any(one.yours for one in self.answered or self.stale)

    def _of(self, decision: ReviewState) -> tuple[Opinion, ...]:
        return tuple(one for one in self.opinions or () if one.decision is decision)

    @property
    def unchecked(self) -> bool:
        """No check ran on the head, or is about to: a forge may say "passing" of that too."""
        return not self.check_runs and self.checks in (CheckState.PASSING, CheckState.NONE)

    @property
    def failing(self) -> tuple[Check, ...]:
        """The checks that fail on the head, by name."""
        return tuple(
            sorted(
                (run for run in self.check_runs if run.state is CheckState.FAILING),
                key=lambda run: run.name,
            )
        )


def roll_up(runs: tuple[Check, ...]) -> CheckState:
    """What several checks say together: any failing fails, else any pending is pending."""
    states = {run.state for run in runs}
    for state in (CheckState.FAILING, CheckState.UNKNOWN, CheckState.PENDING):
        if state in states:
            return state
    return CheckState.PASSING if runs else CheckState.NONE


def lacking(pull: PullRequest, *, count_stale: bool = False) -> tuple[str, ...]:
    """What a person who merges this open pull request should know first: what is not green, or
    lacks an approval it needs.

    No checks at all and no wish for a review are fine. What the forge itself would refuse (drafts,
    conflicts) is left to it.
    """
    failing = ", ".join(check.name for check in pull.failing)
    checks = {
        CheckState.FAILING: f"checks fail: {failing}" if failing else "checks fail",
        CheckState.PENDING: "checks are still running",
        CheckState.UNKNOWN: "it is not known how its checks are",
    }
    reviews = {
        ReviewState.CHANGES_REQUESTED: _asked(pull),
        ReviewState.REQUIRED: "it waits for "
        f"{'another look: ' + _stale(pull) if pull.stale else 'a review'}",
        ReviewState.APPROVED: "" if count_stale or not pull.stale else _stale(pull),
    }
    return tuple(filter(None, (checks.get(pull.checks, ""), reviews.get(pull.review, ""))))


def _asked(pull: PullRequest) -> str:
    if pull.answered:
        return f"{_names(pull.answered)} asked for changes and has not looked at {pull.head[:7]}"
    return "a reviewer asks for changes"


def _stale(pull: PullRequest) -> str:
    return (
        f"the approval by {_names(pull.stale)} is of {pull.stale[0].head[:7] or 'another head'}, "
        f"not of {pull.head[:7]}"
    )


def _names(opinions: tuple[Opinion, ...]) -> str:
    return ", ".join(one.author for one in opinions)
