"""The forge's store, read once: a survey needs the rows of every pull request, and hardly any
has changed since the last.

Whoever else writes to the store is noticed by its revision; then all is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ennio.model.local_forge import CheckRow, PullRow, PullStore, ReviewRow
from ennio.model.pulls import PullState

T = TypeVar("T")
MOST = 20_000
"""Answers that are remembered; past it all are forgotten, since those of ended pull requests
are never asked for again.
"""


class CachedPullStore:
    """A ``PullStore`` over another. For several threads at once."""

    def __init__(self, store: PullStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._revision = store.revision
        self._read: dict[Hashable, Any] = {}

    @property
    def revision(self) -> int:
        """See ``PullStore.revision``."""
        return self._store.revision

    def next_number(self, project_id: str) -> int:
        """See ``PullStore.next_number``."""
        return self._store.next_number(project_id)

    def pull(self, project_id: str, number: int) -> PullRow | None:
        """See ``PullStore.pull``."""
        return self._known(
            ("pull", project_id, number), lambda: self._store.pull(project_id, number)
        )

    def pulls(self, project_id: str, state: PullState | None = None) -> tuple[PullRow, ...]:
        """See ``PullStore.pulls``; the open ones are remembered, of the others there is no end."""
        if state is not PullState.OPEN:
            return self._store.pulls(project_id, state)
        found = self._known(
            ("open", project_id),
            lambda: {row.number: row for row in self._store.pulls(project_id, state)},
        )
        return tuple(found[number] for number in sorted(found))

    def pull_of(self, project_id: str, branch: str) -> PullRow | None:
        """See ``PullStore.pull_of``."""
        return self._store.pull_of(project_id, branch)

    def save_pull(self, row: PullRow) -> None:
        """See ``PullStore.save_pull``."""
        with self._lock:
            self._save(lambda: self._store.save_pull(row), ("pull", row.project_id, row.number))
            still_open: dict[int, PullRow] = self._read.get(("open", row.project_id), {})
            still_open.pop(row.number, None)
            if row.state is PullState.OPEN:
                still_open[row.number] = row

    def checks(self, project_id: str, head: str) -> tuple[CheckRow, ...]:
        """See ``PullStore.checks``."""
        return self._known(
            ("checks", project_id, head), lambda: self._store.checks(project_id, head)
        )

    def save_check(self, row: CheckRow) -> None:
        """See ``PullStore.save_check``."""
        self._save(lambda: self._store.save_check(row), ("checks", row.project_id, row.head))

    def unfinished_checks(self, project_id: str) -> tuple[CheckRow, ...]:
        """See ``PullStore.unfinished_checks``."""
        return self._store.unfinished_checks(project_id)

    def reviews(self, project_id: str, number: int) -> tuple[ReviewRow, ...]:
        """See ``PullStore.reviews``."""
        return self._known(
            ("reviews", project_id, number), lambda: self._store.reviews(project_id, number)
        )

    def save_review(self, row: ReviewRow) -> None:
        """See ``PullStore.save_review``."""
        self._save(lambda: self._store.save_review(row), ("reviews", row.project_id, row.number))

    def _known(self, key: Hashable, read: Callable[[], T]) -> T:
        with self._lock:
            if self._store.revision != self._revision or len(self._read) > MOST:
                self._revision = self._store.revision
                self._read.clear()
            if key not in self._read:
                self._read[key] = read()
            found: T = self._read[key]
            return found

    def _save(self, save: Callable[[], None], key: Hashable) -> None:
        """Save a row and forget what it changes; whoever fails may have saved it all the same."""
        with self._lock:
            alone = self._store.revision == self._revision
            try:
                save()
            except BaseException:
                self._read.clear()
                raise
            self._read.pop(key, None)
            if alone:
                self._revision = self._store.revision
