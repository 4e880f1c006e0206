"""Small facts of the instance: a cursor, an id, a mark that something was done."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    value: str


class MetaRepository:
    """Keeps texts by name."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.MetaTable, shape_of(_Entry))

    def get(self, key: str) -> str | None:
        """The text under this name, or None."""
        found = self._rows.get(key)
        return None if found is None else found.value

    def set(self, key: str, value: str) -> None:
        """Keep a text under this name in place of the last."""
        self._rows.save(_Entry(key, value))

    def forget(self, key: str) -> None:
        """Keep nothing under this name; fine if nothing is."""
        self._rows.remove(key)
