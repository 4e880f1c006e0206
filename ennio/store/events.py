"""The log of events: numbered rows, read forwards from a cursor or backwards from the end."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from operator import attrgetter
from typing import Any

from ennio.model.clock import parse_time
from ennio.model.events import EncodedEvent, Event, lowered, payload
from ennio.model.session import Priority
from ennio.store import tables
from ennio.store.columns import RowShape, Values, fields_of
from ennio.store.connection import Connection
from ennio.store.dialect import Row
from ennio.store.row_table import RowTable
from ennio.store.statements import peewee

_AS_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)
"""A time as we write it."""
_JSON = json.JSONDecoder()
_PRIORITIES = frozenset(priority.value for priority in Priority)


def _decode(values: Values) -> Event:
    data = json.loads(values["data"])
    return Event(
        **values
        | {
            "priority": Priority(values["priority"]),
            "timestamp": parse_time(values["timestamp"]),
            # v0.1 wrote the text null for "no data"
            "data": data if isinstance(data, dict) else {} if data is None else {"value": data},
        }
    )


def _as_it_lies(row: Row) -> EncodedEvent | None:
    """A row that we wrote as it goes on a wire: it holds every part of that already, and is looked
    at, but not taken apart and put together again. None for one by another hand, such as v0.1's.
    """
    seq, event_id, kind, priority, session_id, project_id, timestamp, message, text = row
    try:
        data, end = _JSON.raw_decode(text)
        parse_time(timestamp)
    except ValueError:
        return None
    if (
        type(data) is not dict
        or end != len(text)
        or "\n" in text
        or "\r" in text
        or priority not in _PRIORITIES
        or not _AS_WRITTEN.fullmatch(timestamp)
    ):
        return None
    whole = payload(seq, event_id, kind, priority, session_id, project_id, timestamp, message, text)
    return EncodedEvent(seq, event_id, kind, project_id, data, whole)


def _encoded(event: Event) -> EncodedEvent:
    """The same, of an event that was taken apart."""
    return EncodedEvent(
        event.seq, event.id, event.event_type, event.project_id, event.data, event.encode()
    )


class EventLog:
    """Reads the log; what is written comes through a transaction. ``seq`` only grows."""

    def __init__(self, connection: Connection) -> None:
        shape = RowShape(tables.EVENT_COLUMNS, fields_of(tables.EVENT_COLUMNS), _decode)
        self._connection = connection
        self._log = RowTable(connection, tables.EventTable, shape, view=tables.EVENT_VIEW)
        self._of_sessions = RowTable(connection, tables.EventTable, shape)
        self._of_house = RowTable(connection, tables.SystemEventTable, shape)

    def append(self, event: Event) -> None:
        """Write one event. Raises NotFound when its session is unknown."""
        (self._of_sessions if event.session_id else self._of_house).insert(event)

    def get(self, event_id: str) -> Event | None:
        """One event, or None."""
        return self._log.get(event_id)

    def after(
        self,
        seq: int,
        *,
        limit: int = 500,
        session_id: str | None = None,
        project_id: str | None = None,
        types: Collection[str] | None = None,
        min_priority: Priority | None = None,
        text: str | None = None,
    ) -> list[Event]:
        """The events that follow a cursor, oldest first."""
        equal = _filters(session_id, project_id, types, min_priority)
        later = (self._log.column("seq") > seq, *self._with(text))
        return list(self._log.find(*later, order=("seq",), limit=limit, **equal))

    def encoded_after(self, seq: int, limit: int) -> list[EncodedEvent]:
        """The events that follow a cursor, oldest first, for whoever passes them on."""
        later = self._log.column("seq") > seq
        rows = self._log.rows(later, order=("seq",), limit=limit)
        return [_as_it_lies(row) or _encoded(self._log.decoded(row)) for row in rows]

    def before(
        self,
        seq: int | None,
        limit: int = 500,
        *,
        session_id: str | None = None,
        project_id: str | None = None,
        types: Collection[str] | None = None,
        min_priority: Priority | None = None,
        text: str | None = None,
    ) -> list[Event]:
        """The events that precede a cursor (None: the end of the log), newest first."""
        equal = _filters(session_id, project_id, types, min_priority)
        earlier = () if seq is None else (self._log.column("seq") < seq,)
        earlier = (*earlier, *self._with(text))
        return list(self._log.find(*earlier, order=("-seq",), limit=limit, **equal))

    def _with(self, text: str | None) -> tuple[Any, ...]:
        """The condition that a message has these words in it, ASCII letters in either case: so
        both databases can tell them apart, and whoever waits for events.
        """
        if text is None:
            return ()
        # spelt out: peewee's own LIKE is another thing in SQLite, and its ILIKE in PostgreSQL
        parts = (
            peewee.fn.LOWER(self._log.column("message")),
            peewee.SQL("LIKE"),
            peewee.Value(_pattern(text)),
            peewee.SQL("ESCAPE '!'"),
        )
        return (peewee.NodeList(parts, parens=True),)

    def list_by_session(self, session_id: str, limit: int = 500) -> list[Event]:
        """The last events of a session, oldest of them first."""
        return sorted(self.before(None, limit, session_id=session_id), key=attrgetter("seq"))

    def list_by_project(self, project_id: str, limit: int = 500) -> list[Event]:
        """The last events of a project, oldest of them first."""
        return sorted(self.before(None, limit, project_id=project_id), key=attrgetter("seq"))

    def last_seq(self) -> int:
        """The number given last, 0 before the first; it stays when rows are removed."""
        found = self._connection.read_text("SELECT value FROM sequence WHERE name = 'events'", ())
        return int(found[0][0]) if found else 0

    def first_seq(self) -> int:
        """The number of the oldest event that is still there, 0 when there is none."""
        return next((event.seq for event in self.after(0, limit=1)), 0)

    def counts(self, session_id: str | None = None) -> dict[str, int]:
        """How many events of each type there are."""
        kind = self._log.column("event_type")
        query = self._log.table.select(kind, peewee.fn.COUNT(peewee.SQL("*"))).group_by(kind)
        if session_id is not None:
            query = query.where(self._log.column("session_id") == session_id)
        return {str(name): int(count) for name, count in self._connection.read(query)}


def _pattern(text: str) -> str:
    """What LIKE finds the text by; no letter of it stands for another."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{lowered(text)}%"


def _filters(
    session_id: str | None,
    project_id: str | None,
    types: Collection[str] | None,
    least: Priority | None,
) -> dict[str, Any]:
    equal: dict[str, Any] = {}
    if session_id is not None:
        equal["session_id"] = session_id
    if project_id is not None:
        equal["project_id"] = project_id
    if types is not None:
        equal["event_type"] = tuple(types)
    if least is not None:
        equal["priority"] = tuple(priority for priority in Priority if priority.rank >= least.rank)
    return equal
