"""The book of the local forge: its pull requests, checks, reviews and issues."""

from __future__ import annotations

from typing import TypeVar

from ennio.model.failpoints import declare
from ennio.model.local_forge import CheckRow, IssueRow, PullRow, ReviewRow
from ennio.model.pulls import PullState
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

declare(
    "commit.forge_issues",
    because="the issue of the story lies in a file; a row is written by a person's order only",
)


R = TypeVar("R")


class ForgeRepository:
    """Keeps what the local forge keeps; a ``ForgeStore``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._revision = 0
        self._pulls = RowTable(connection, tables.PullTable, shape_of(PullRow))
        self._checks = RowTable(connection, tables.CheckTable, shape_of(CheckRow))
        self._reviews = RowTable(connection, tables.ReviewTable, shape_of(ReviewRow))
        self._issues = RowTable(connection, tables.IssueTable, shape_of(IssueRow))

    @property
    def revision(self) -> int:
        """Grows with every row that is saved in this process, or may have been."""
        return self._revision

    def _save(self, table: RowTable[R], row: R) -> None:
        try:
            table.save(row)
        finally:
            self._revision += 1  # a commit that failed may stand all the same, and must be read

    def next_number(self, project_id: str) -> int:
        """A number no pull request of the project has had, from 1; never given twice."""
        with self._connection.transaction():
            newest = self._pulls.find(order=("-number",), limit=1, project_id=project_id)
            return self._connection.bump(
                f"pull:{project_id}", above=newest[0].number if newest else 0
            )

    def pull(self, project_id: str, number: int) -> PullRow | None:
        """One pull request, or None."""
        return self._pulls.get(project_id, number)

    def pulls(self, project_id: str, state: PullState | None = None) -> tuple[PullRow, ...]:
        """The project's pull requests by number, all or those in one state."""
        states = tuple(PullState) if state is None else (state,)
        return self._pulls.find(order=("number",), project_id=project_id, state=states)

    def pull_of(self, project_id: str, branch: str) -> PullRow | None:
        """The branch's newest pull request, an open one before any other."""
        found = self._pulls.find(order=("-number",), project_id=project_id, branch=branch)
        return next(
            (row for row in found if row.state is PullState.OPEN), found[0] if found else None
        )

    def save_pull(self, row: PullRow) -> None:
        """Keep a pull request."""
        self._save(self._pulls, row)

    def checks(self, project_id: str, head: str) -> tuple[CheckRow, ...]:
        """The checks of one head, by name."""
        return self._checks.find(order=("name",), project_id=project_id, head=head)

    def save_check(self, row: CheckRow) -> None:
        """Keep a check; one row per project, head and name."""
        self._save(self._checks, row)

    def unfinished_checks(self, project_id: str) -> tuple[CheckRow, ...]:
        """The checks without an end."""
        return self._checks.find(order=("head", "name"), project_id=project_id, finished_at=None)

    def reviews(self, project_id: str, number: int) -> tuple[ReviewRow, ...]:
        """The reviews and comments of one pull request, oldest first."""
        return self._reviews.find(order=("ordinal",), project_id=project_id, number=number)

    def save_review(self, row: ReviewRow) -> None:
        """Keep a review."""
        self._save(self._reviews, row)

    def issue(self, project_id: str, id: str) -> IssueRow | None:  # noqa: A002 - the row's own name for it
        """One issue, or None."""
        return self._issues.get(project_id, id)

    def issues(self, project_id: str) -> tuple[IssueRow, ...]:
        """The project's issues, oldest first, open and closed."""
        return self._issues.find(order=("ordinal",), project_id=project_id)

    def save_issue(self, row: IssueRow) -> None:
        """Keep an issue."""
        self._save(self._issues, row)

    def next_issue_id(self, project_id: str) -> str:
        """An issue id the project has not had, ``1`` and up; never given twice."""
        with self._connection.transaction():
            taken = (int(row.id) for row in self.issues(project_id) if row.id.isdecimal())
            return str(self._connection.bump(f"issue:{project_id}", above=max(taken, default=0)))
