"""Conflicts that are expected between the branches of living sessions."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.model.conflicts import ExpectedConflict, SessionPair
from ennio.model.failpoints import declare
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

declare(
    "commit.conflicts",
    because="no two branches of a story touch one path; what is lost is found again by the next "
    "look",
)


class ConflictRepository:
    """Keeps those that hold now; there are few of them."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.ConflictTable, shape_of(ExpectedConflict))

    def list(self, project_id: str | None = None) -> Sequence[ExpectedConflict]:
        """Of one project or all, the longest expected first."""
        order = ("since", "one", "other")
        if project_id is None:
            return self._rows.find(order=order)
        return self._rows.find(order=order, project_id=project_id)

    def of(self, session_id: str) -> Sequence[ExpectedConflict]:
        """Those of one session, the longest expected first."""
        mine = (self._rows.column("one") == session_id) | (self._rows.column("other") == session_id)
        return self._rows.find(mine, order=("since", "one", "other"))

    def save(self, conflict: ExpectedConflict) -> None:
        """Keep one, in place of what was known of the pair."""
        self._rows.save(conflict)

    def remove(self, pair: SessionPair) -> bool:
        """It is expected no more; tells whether it was."""
        return self._rows.remove(pair.one, pair.other)
