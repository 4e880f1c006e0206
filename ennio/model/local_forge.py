"""What the local forge keeps: pull requests, checks, reviews and issues as
rows, and the book of them.

The local forge decides from these rows; whoever implements ``ForgeStore`` only keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ennio.model.pulls import CheckState, PullState, ReviewState


@dataclass(frozen=True, slots=True)
class PullRow:
    """One pull request. ``head_since`` is when its head became what it is.

    ``by_push`` is whether a push merged it; None: it is not merged, or was
    before this was written down.
    """

    project_id: str
    number: int
    branch: str
    base: str
    title: str
    body: str
    author: str
    draft: bool
    state: PullState
    head: str
    opened_at: datetime
    updated_at: datetime
    head_since: datetime
    merged_at: datetime | None = None
    merge_commit: str | None = None
    closed_at: datetime | None = None
    by_push: bool | None = None

    @property
    def pushed(self) -> bool:
        """Whether a push merged it; where that was not written down, a merge without a commit
        of its own counts as one.
        """
        return self.merge_commit == self.head if self.by_push is None else self.by_push


@dataclass(frozen=True, slots=True)
class CheckRow:
    """The latest run of one check on one head; ``run`` counts from 1 and grows with every re-run.

    ``log`` is the path of its output.
    """

    project_id: str
    head: str
    name: str
    state: CheckState
    run: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    log: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One review or comment; ``head`` is the commit it was written about. ``id`` is a uuid."""

    id: str
    project_id: str
    number: int
    author: str
    decision: ReviewState
    body: str
    path: str | None
    line: int | None
    head: str
    at: datetime
    resolved: bool = False
    dismissed: bool = False
    bot: bool = False


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One issue of the local tracker; ``state`` is ``open`` or ``closed``."""

    project_id: str
    id: str
    title: str
    body: str
    state: str
    labels: tuple[str, ...]
    comments: tuple[str, ...]
    created_at: datetime
    closed_at: datetime | None = None


class PullStore(Protocol):
    """Keeps pull requests with what belongs to them. Saving a row again replaces it."""

    @property
    def revision(self) -> int:
        """Grows with every row that is saved in this process, or may have been; the same
        number means that nothing was.
        """
        ...

    def next_number(self, project_id: str) -> int:
        """A number no pull request of the project has had, from 1; never given twice."""
        ...

    def pull(self, project_id: str, number: int) -> PullRow | None:
        """One pull request, or None."""
        ...

    def pulls(self, project_id: str, state: PullState | None = None) -> tuple[PullRow, ...]:
        """The project's pull requests by number, all or those in one state."""
        ...

    def pull_of(self, project_id: str, branch: str) -> PullRow | None:
        """The branch's newest pull request, an open one before any other."""
        ...

    def save_pull(self, row: PullRow) -> None:
        """Keep a pull request."""
        ...

    def checks(self, project_id: str, head: str) -> tuple[CheckRow, ...]:
        """The checks of one head, by name."""
        ...

    def save_check(self, row: CheckRow) -> None:
        """Keep a check; one row per project, head and name."""
        ...

    def unfinished_checks(self, project_id: str) -> tuple[CheckRow, ...]:
        """The checks without an end (``finished_at`` is None)."""
        ...

    def reviews(self, project_id: str, number: int) -> tuple[ReviewRow, ...]:
        """The reviews and comments of one pull request, oldest first."""
        ...

    def save_review(self, row: ReviewRow) -> None:
        """Keep a review."""
        ...


class ForgeStore(PullStore, Protocol):
    """Keeps the local forge's rows, those of its issues too."""

    def issue(self, project_id: str, id: str) -> IssueRow | None:  # noqa: A002 - the row's own name for it
        """One issue, or None."""
        ...

    def issues(self, project_id: str) -> tuple[IssueRow, ...]:
        """The project's issues, oldest first, open and closed."""
        ...

    def save_issue(self, row: IssueRow) -> None:
        """Keep an issue."""
        ...

    def next_issue_id(self, project_id: str) -> str:
        """An issue id the project has not had, ``1`` and up; never given twice."""
        ...
