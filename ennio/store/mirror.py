"""What was last known of a database on a server: a copy in memory, for people who look
while the server is away.

It holds what they ask for: the sessions, their place in the queue, what was seen of them and their
numbers; and the latest events, messages and reasons, as far as there is room. All else is empty in
it, so nobody who decides anything may read it.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from ennio.store import tables
from ennio.store.declaring import DeclaredTable, columns_of, name_of
from ennio.store.dialect import Row
from ennio.store.statements import POSTGRES, SQLITE

log = logging.getLogger(__name__)
_KEPT = "SELECT id FROM sessions WHERE archived_at IS NULL"
_EVENTS, _HOUSE_EVENTS, _REASONS, _MESSAGES = 5000, 500, 5000, 1000
_LONGEST = 16 * 1024  # characters of a message; a person who looks does not need more
ROOM = 32 * 1024 * 1024
"""Bytes; where the latest are more than that, fewer of them are kept."""
_NEWEST_MESSAGES = f"SELECT id FROM messages ORDER BY ordinal DESC LIMIT {_MESSAGES}"  # noqa: S608
_WHICH = {
    tables.SessionTable: "WHERE archived_at IS NULL",
    tables.QueueTable: "",
    tables.FactTable: f"WHERE session_id IN ({_KEPT})",
    tables.MemoryTable: f"WHERE session_id IN ({_KEPT})",
    tables.ReactionTable: f"WHERE session_id IN ({_KEPT})",
    tables.MetricsTable: f"WHERE session_id IN ({_KEPT})",
    tables.ProjectTable: "",
    tables.EventTable: f"ORDER BY seq DESC LIMIT {_EVENTS}",
    tables.SystemEventTable: f"ORDER BY seq DESC LIMIT {_HOUSE_EVENTS}",
    tables.EvidenceTable: f"ORDER BY ordinal DESC LIMIT {_REASONS}",
    tables.MessageTable: f"ORDER BY ordinal DESC LIMIT {_MESSAGES}",
    tables.DeliveryTable: f"WHERE kind = 'message' AND subject IN ({_NEWEST_MESSAGES})",
}
_LATEST = (
    ("events", "seq", _EVENTS),
    ("house_events", "seq", _HOUSE_EVENTS),
    ("evidence", "ordinal", _REASONS),
    ("messages", "ordinal", _MESSAGES),
)
_OF_NOBODY = (
    "DELETE FROM deliveries WHERE kind <> 'message' OR subject NOT IN (SELECT id FROM messages)",
    "DELETE FROM messages WHERE id NOT IN (SELECT subject FROM deliveries)",
    "INSERT OR REPLACE INTO sequence SELECT 'events', COALESCE(MAX(seq), 0) FROM event_log",
)
_AT_MOST = 1000
_WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


def _columns(table: type[DeclaredTable]) -> str:
    cut = {"text": f"left(text, {_LONGEST})"} if table is tables.MessageTable else {}
    return ", ".join(cut.get(name, name) for name in columns_of(table))


def _shortened(parameters: Sequence[Any]) -> list[Any]:
    return [one[:_LONGEST] if isinstance(one, str) else one for one in parameters]


class Mirror:
    """The copy. What a transaction writes is noted, and done here too once it is committed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._held = {name_of(table) for table in _WHICH}
        self._texts: dict[str, str] = {}
        self._writes: dict[str, tuple[str, bool]] = {}
        self._noted: list[tuple[str, Sequence[Any]]] = []
        self._waiting: list[tuple[str, Sequence[Any]]] = []
        for statement in tables.creation(SQLITE):
            self._database.execute(statement)

    def fill(self, read: Callable[[str], Sequence[Row]]) -> None:
        """Take everything anew from what ``read`` gives for a query."""
        # all is read before anything is put in its place: others may look meanwhile
        found = {
            table: read(f"SELECT {_columns(table)} FROM {name_of(table)} {which}")  # noqa: S608
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
        self._prune()
        self._database.execute("COMMIT")

    def note(self, statement: str, parameters: Sequence[Any]) -> None:
        """A statement was run inside the transaction that is open."""
        known = self._writes.get(statement)
        if known is None:
            known = self._writes[statement] = self._known(statement)
        text, long = known
        if text:
            self._noted.append((text, _shortened(parameters) if long else parameters))

    def _known(self, statement: str) -> tuple[str, bool]:
        """What is to be done here for a statement, if anything; whether it may hold long text."""
        found = _WRITES.match(statement)
        if found is None or found[1] not in self._held:
            return "", False
        return self._text(statement), found[1] == name_of(tables.MessageTable)

    def done(self) -> None:
        """The transaction was committed."""
        self._waiting += self._noted
        self._noted = []
        if len(self._waiting) > _AT_MOST:
            self._catch_up()

    def _catch_up(self) -> None:
        """Do what waits, many in one go: nobody looks while all is well."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._database.execute("BEGIN")
            for statement, parameters in waiting:
                self._database.execute(statement, parameters)
            self._prune()
            self._database.execute("COMMIT")
        except sqlite3.Error:
            log.exception("the copy in memory of the database is out of date")
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _prune(self) -> None:
        """Keep the latest, and of them as many as there is room for."""
        part = 1
        self._keep(part)
        while self.size > ROOM and part < _EVENTS:
            part *= 2
            self._keep(part)

    def _keep(self, part: int) -> None:
        for table, column, most in _LATEST:
            self._database.execute(
                f"DELETE FROM {table} WHERE {column} <= "  # noqa: S608 - our own names
                f"(SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT 1 OFFSET ?)",
                (most // part,),
            )
        for statement in _OF_NOBODY:
            self._database.execute(statement)

    @property
    def size(self) -> int:
        """Bytes of what it holds."""
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

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
