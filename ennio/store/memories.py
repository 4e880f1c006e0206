"""What the lifecycle remembers of each session, as opaque text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class _SessionMemory:
    session_id: str
    value: str


class MemoryRepository:
    """Keeps one text per session."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.MemoryTable, shape_of(_SessionMemory))

    def get(self, session_id: str) -> str | None:
        """The text last saved, or None."""
        found = self._rows.get(session_id)
        return None if found is None else found.value

    def texts(self, ids: Collection[str] | None) -> dict[str, str]:
        """The texts of these sessions; None: of all that are not archived."""
        return {row.session_id: row.value for row in self._rows.of_sessions(ids)}

    def save(self, session_id: str, text: str) -> None:
        """Keep this text in place of the last. Raises NotFound for an unknown session."""
        self._rows.save(_SessionMemory(session_id, text))
