"""Pull requests as any forge tells them: checks, reviews, threads, conflicts. All frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PullState(StrEnum):
    """Whether a pull request is still to be decided."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class CheckState(StrEnum):
    """What one check says, or all of them together (``none``: there are none; ``unknown``: not seen)."""

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
    """One check of one head. ``id`` is unique per run, ``log_tail`` the last lines of a failing one."""

    id: str
    name: str
    state: CheckState
    url: str | None = None
    log_tail: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment or review on a pull request; ``path`` and ``line`` when it hangs on a line.

    ``thread`` groups comments that answer one another; ``decision`` is set on a review's own body.
    ``own`` is True for answers of the account that Ennio or the agent itself uses: they are no news to the agent.
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


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request at one moment.

    ``comments`` are those the agent should still answer: unresolved threads, bodies of reviews
    that ask for changes and still count, the conversation, and what bots wrote.
    ``merging``: the forge has been told to merge it, and does it when it can (merge queue, auto-merge).
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

    @property
    def failing(self) -> tuple[Check, ...]:
        """The checks that fail on the head, by name."""
        return tuple(sorted((run for run in self.check_runs if run.state is CheckState.FAILING), key=lambda run: run.name))


def roll_up(runs: tuple[Check, ...]) -> CheckState:
    """What several checks say together: any failing fails, else any pending is pending."""
    states = {run.state for run in runs}
    for state in (CheckState.FAILING, CheckState.UNKNOWN, CheckState.PENDING):
        if state in states:
            return state
    return CheckState.PASSING if runs else CheckState.NONE
