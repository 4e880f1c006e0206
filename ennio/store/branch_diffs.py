"""How much the branches of sessions change."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ennio.model.conflicts import BranchDiff
from ennio.model.failpoints import declare
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

declare(
    "commit.branch_diffs",
    because="the radar writes it beside the story; what is lost is counted again by the next look",
)


class BranchDiffRepository:
    """Keeps what was counted last of each session; it stays when the session has ended."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(
            connection, tables.BranchDiffTable, shape_of(BranchDiff), remembers=True
        )

    def get(self, session_id: str) -> BranchDiff | None:
        """That of one session; None where nothing was counted."""
        return self._rows.get(session_id)

    def of_sessions(self, ids: Collection[str] | None) -> Mapping[str, BranchDiff]:
        """Those of these sessions or (None) of all that are not archived."""
        return {one.session_id: one for one in self._rows.of_sessions(ids)}

    def save(self, diff: BranchDiff) -> None:
        """Keep one, in place of what was known. Raises NotFound for an unknown session."""
        self._rows.save(diff)

    def forget(self, session_id: str) -> bool:
        """It is not known any more; tells whether it was."""
        return self._rows.remove(session_id)
