"""How far each follower of the log has come."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Cursor:
    """A follower by its name, and the ``seq`` of the last event it is done with."""

    name: str
    seq: int


class CursorRepository:
    """Keeps one cursor for each follower."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.CursorTable, shape_of(Cursor))

    def get(self, name: str) -> int | None:
        """The ``seq`` of the last event this follower is done with; None for one
        that has never followed.
        """
        found = self._rows.get(name)
        return None if found is None else found.seq

    def list(self) -> tuple[Cursor, ...]:
        """Every follower's, by name."""
        return self._rows.find(order=("name",))

    def move(self, name: str, seq: int) -> None:
        """The follower is done with everything up to this event."""
        self._rows.save(Cursor(name, seq))
