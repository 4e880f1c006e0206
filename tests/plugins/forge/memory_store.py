"""The local forge's store as dictionaries, for tests of what decides from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from ennio.model.local_forge import CheckRow, IssueRow, PullRow, ReviewRow
from ennio.model.pulls import PullState


class MemoryForgeStore:
    """Satisfies ForgeStore; ``refuse`` is asked before each pull request is saved and may raise
    (a crash at that point).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.revision = 0
        self._pulls: dict[tuple[str, int], PullRow] = {}
        self._checks: dict[tuple[str, str, str], CheckRow] = {}
        self._reviews: dict[str, ReviewRow] = {}
        self._issues: dict[tuple[str, str], IssueRow] = {}
        self._numbers: dict[str, int] = {}
        self.refuse: Callable[[PullRow], object] | None = None

    def _next(self, key: str) -> int:
        with self._lock:
            self._numbers[key] = self._numbers.get(key, 0) + 1
            return self._numbers[key]

    def next_number(self, project_id: str) -> int:
        return self._next(f"pull {project_id}")

    def pull(self, project_id: str, number: int) -> PullRow | None:
        return self._pulls.get((project_id, number))

    def pulls(self, project_id: str, state: PullState | None = None) -> tuple[PullRow, ...]:
        rows = [
            row
            for row in list(self._pulls.values())
            if row.project_id == project_id and state in (None, row.state)
        ]
        return tuple(sorted(rows, key=lambda row: row.number))

    def pull_of(self, project_id: str, branch: str) -> PullRow | None:
        rows = [row for row in self.pulls(project_id) if row.branch == branch]
        return max(rows, key=lambda row: (row.state is PullState.OPEN, row.number), default=None)

    def save_pull(self, row: PullRow) -> None:
        self.revision += 1
        if self.refuse is not None:
            self.refuse(row)
        self._pulls[row.project_id, row.number] = row

    def checks(self, project_id: str, head: str) -> tuple[CheckRow, ...]:
        return tuple(
            row for key, row in sorted(self._checks.items()) if key[:2] == (project_id, head)
        )

    def save_check(self, row: CheckRow) -> None:
        self.revision += 1
        self._checks[row.project_id, row.head, row.name] = row

    def unfinished_checks(self, project_id: str) -> tuple[CheckRow, ...]:
        return tuple(
            row
            for row in list(self._checks.values())
            if row.project_id == project_id and row.finished_at is None
        )

    def reviews(self, project_id: str, number: int) -> tuple[ReviewRow, ...]:
        return tuple(
            row
            for row in self._reviews.values()
            if (row.project_id, row.number) == (project_id, number)
        )

    def save_review(self, row: ReviewRow) -> None:
        self.revision += 1
        self._reviews[row.id] = row

    def dismiss(self, review_id: str) -> None:
        self._reviews[review_id] = replace(self._reviews[review_id], dismissed=True)

    def issue(self, project_id: str, id: str) -> IssueRow | None:  # noqa: A002 - the protocol's name
        return self._issues.get((project_id, id))

    def issues(self, project_id: str) -> tuple[IssueRow, ...]:
        return tuple(row for row in self._issues.values() if row.project_id == project_id)

    def save_issue(self, row: IssueRow) -> None:
        self.revision += 1
        self._issues[row.project_id, row.id] = row

    def next_issue_id(self, project_id: str) -> str:
        return str(self._next(f"issue {project_id}"))
