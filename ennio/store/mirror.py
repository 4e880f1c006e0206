"""What was last known of a database on a server: a copy in memory, for people who look
while the server is away.

It holds what they ask for: the sessions, their place in the queue, what was seen of them and their
numbers. All else is empty in it, so nobody who decides anything may read it.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from ennio.store import tables
from ennio.store.declaring import columns_of, name_of
from ennio.store.dialect import Row
from ennio.store.statements import POSTGRES, SQLITE

log = logging.getLogger(__name__)
_KEPT = "SELECT id FROM sessions WHERE archived_at IS NULL"
_WHICH = {
    tables.SessionTable: "WHERE archived_at IS NULL",
    tables.QueueTable: "",
    tables.FactTable: f"WHERE session_id IN ({_KEPT})",
    tables.MetricsTable: f"WHERE session_id IN ({_KEPT})",
    tables.ProjectTable: "",
}
_AT_MOST = 1000
_WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


class Mirror:
    """The copy. What a transaction writes is noted, and done here too once it is committed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._held = {name_of(table) for table in _WHICH}
        self._texts: dict[str, str] = {}
        self._writes: dict[str, str] = {}
        self._noted: list[tuple[str, Sequence[Any]]] = []
        self._waiting: list[tuple[str, Sequence[Any]]] = []
        for statement in tables.creation(SQLITE):
            self._database.execute(statement)

    def fill(self, read: Callable[[str], Sequence[Row]]) -> None:
        """Take everything anew from what ``read`` gives for a query."""
        # all is read before anything is put in its place: others may look meanwhile
        found = {
            table: read(f"SELECT {', '.join(columns_of(table))} FROM {name_of(table)} {which}")  # noqa: S608
            for table, which in _WHICH.items()
        }
        self._waiting = []
        self._database.execute("BEGIN")
        for table, rows in found.items():
            name, columns = name_of(table), columns_of(table)
            self._database.execute(f"DELETE FROM {name}")  # noqa: S608
            self._database.executemany(
                f"INSERT INTO {name} ({', '.join(columns)}) VALUES "  # noqa: S608
                f"({', '.join('?' * len(columns))})",
                rows,
            )
        self._database.execute("COMMIT")

    def note(self, statement: str, parameters: Sequence[Any]) -> None:
        """A statement was run inside the transaction that is open."""
        text = self._writes.get(statement)
        if text is None:
            found = _WRITES.match(statement)
            text = self._writes[statement] = (
                self._text(statement) if found is not None and found[1] in self._held else ""
            )
        if text:
            self._noted.append((text, parameters))

    def done(self) -> None:
        """The transaction was committed."""
        self._waiting += self._noted
        self._noted = []
        if len(self._waiting) > _AT_MOST:
            self._catch_up()

    def _catch_up(self) -> None:
        """Do what waits, many in one go: nobody looks while all is well."""
        waiting, self._waiting = self._waiting, []
        try:
            self._database.execute("BEGIN")
            for statement, parameters in waiting:
                self._database.execute(statement, parameters)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            log.exception("the copy in memory of the database is out of date")
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def undone(self) -> None:
        """It was not."""
        self._noted = []

    def read(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query."""
        self._catch_up()
        return self._database.execute(self._text(statement), parameters).fetchall()

    def _text(self, statement: str) -> str:
        if statement not in self._texts:
            self._texts[statement] = statement.replace(POSTGRES.param, SQLITE.param)
        return self._texts[statement]
