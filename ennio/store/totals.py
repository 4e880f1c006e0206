"""Numbers over all there ever was, for whoever counts: of events, and of sessions that ended. What
is no longer kept stays counted. What they cost is in the books, which keep everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ennio.model.clock import parse_time
from ennio.model.histogram import Histogram
from ennio.model.session import SessionStatus
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.declaring import name_of
from ennio.store.row_table import RowTable
from ennio.store.statements import peewee

ENDED = tuple(status.value for status in SessionStatus if status.terminal)
COMPLETED = (SessionStatus.MERGED.value, SessionStatus.DONE.value)
LIFE_BOUNDS = (
    *(60.0, 300.0, 900.0, 1800.0, 3600.0),
    *(7200.0, 14_400.0, 28_800.0, 86_400.0, 259_200.0),
)
"""Seconds; from a minute to three days."""
_COUNT = peewee.fn.COUNT(peewee.SQL("*"))


@dataclass(frozen=True, slots=True)
class _PrunedAmount:
    name: str
    amount: str


@dataclass(frozen=True, slots=True)
class SessionNumbers:
    """What one session adds to the totals."""

    status: str
    life: Histogram


class TotalsRepository:
    """Reads numbers; each is a query or two, whatever their number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pruned = RowTable(connection, tables.PrunedTable, shape_of(_PrunedAmount))

    # --- what there is and was --------------------------------------------------------------------

    def events(self, until: int) -> Mapping[str, int]:
        """How many events of each type there ever were, up to a number."""
        with self._connection.transaction():  # of what goes meanwhile nothing is counted twice
            found = Counter(self.new_events(0, until))
            found.update({kind: int(many) for kind, many in self._pruned_of("event:").items()})
        return found

    def new_events(self, after: int, until: int) -> Mapping[str, int]:
        """How many of each type are kept, behind a number and up to another."""
        log = peewee.Table(tables.EVENT_VIEW)
        kind, seq = peewee.Column(log, "event_type"), peewee.Column(log, "seq")
        query = log.select(kind, _COUNT).where(seq > after, seq <= until).group_by(kind)
        return {str(name): int(many) for name, many in self._connection.read(query)}

    def sessions(self) -> Mapping[str, int]:
        """How many sessions there ever were by status, also those that were archived."""
        with self._connection.transaction():
            sessions = peewee.Table(name_of(tables.SessionTable))
            status = peewee.Column(sessions, "status")
            query = sessions.select(status, _COUNT).group_by(status)
            found = Counter({str(name): int(many) for name, many in self._connection.read(query)})
            found.update({name: int(many) for name, many in self._pruned_of("status:").items()})
        return found

    def active(self) -> int:
        """How many sessions have not ended and are not archived."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        status, archived = (peewee.Column(sessions, name) for name in ("status", "archived_at"))
        query = sessions.select(_COUNT).where(status.not_in(ENDED), archived.is_null())
        return int(self._connection.read(query)[0][0])

    def lives(self) -> Histogram:
        """How long the sessions lived that have ended for good, in seconds from their spawn."""
        with self._connection.transaction():
            before = self._pruned_of("life:")
            gone = Histogram(
                LIFE_BOUNDS,
                tuple(int(before.get(str(place), 0)) for place in range(len(LIFE_BOUNDS) + 1)),
                float(self._amount("life")),
            )
            return self._lives().plus(gone)

    def of_session(self, session_id: str) -> SessionNumbers:
        """What one session adds to each of these."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        key, status = peewee.Column(sessions, "id"), peewee.Column(sessions, "status")
        found = self._connection.read(sessions.select(status).where(key == session_id))
        return SessionNumbers(str(found[0][0]) if found else "", self._lives(session_id))

    # --- what is no longer kept -------------------------------------------------------------------

    def add(self, name: str, amount: Decimal | int) -> None:
        """Count so much of what goes. Inside the transaction in which it goes."""
        if amount:
            self.put(name, self._amount(name) + amount)

    def put(self, name: str, amount: Decimal | int) -> None:
        """Keep a number."""
        self._pruned.save(_PrunedAmount(name, str(amount)))

    def pruned_until(self) -> int:
        """The greatest number of an event that went."""
        return int(self._amount("until"))

    def _amount(self, name: str) -> Decimal:
        found = self._pruned.get(name)
        return Decimal(found.amount if found else 0)

    def _pruned_of(self, prefix: str) -> Mapping[str, Decimal]:
        return {
            row.name.removeprefix(prefix): Decimal(row.amount)
            for row in self._pruned.find()
            if row.name.startswith(prefix)
        }

    # --- queries ----------------------------------------------------------------------------------

    def _lives(self, session_id: str | None = None) -> Histogram:
        """Unknown where no reason was kept."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        evidence = peewee.Table(name_of(tables.EvidenceTable))
        key, created, status = (
            peewee.Column(sessions, name) for name in ("id", "created_at", "status")
        )
        of, at, why = (peewee.Column(evidence, name) for name in ("session_id", "at", "status"))
        query = sessions.select(created, peewee.fn.MIN(at)).join(evidence, on=(of == key))
        query = _only(query, key, session_id).where(status.in_(ENDED), why.in_(ENDED))
        found = self._connection.read(query.group_by(key, created))
        return Histogram.of(LIFE_BOUNDS, (_seconds(begun, ended) for begun, ended in found))


def _only(query: Any, key: Any, session_id: str | None) -> Any:
    return query if session_id is None else query.where(key == session_id)


def _seconds(begun: str, ended: str) -> float:
    since: datetime = parse_time(begun)
    return max(0.0, (parse_time(ended) - since).total_seconds())
