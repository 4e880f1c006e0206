"""Numbers over all there ever was, for whoever counts: of events, of sessions that
ended, and what they took.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from ennio.model.clock import parse_time
from ennio.model.session import SessionStatus
from ennio.store import tables
from ennio.store.connection import Connection
from ennio.store.declaring import name_of
from ennio.store.statements import peewee

ENDED = tuple(status.value for status in SessionStatus if status.terminal)
COMPLETED = (SessionStatus.MERGED.value, SessionStatus.DONE.value)
_COUNT = peewee.fn.COUNT(peewee.SQL("*"))


class TotalsRepository:
    """Reads numbers; each is one query, whatever their number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def events(self, after: int, until: int) -> Mapping[str, int]:
        """How many events of each type have a ``seq`` behind the first of
        these and up to the second.
        """
        log = peewee.Table(tables.EVENT_VIEW)
        kind, seq = peewee.Column(log, "event_type"), peewee.Column(log, "seq")
        query = log.select(kind, _COUNT).where(seq > after, seq <= until).group_by(kind)
        return {str(name): int(many) for name, many in self._connection.read(query)}

    def sessions(self) -> Mapping[str, int]:
        """How many sessions have each status, also the archived ones."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        status = peewee.Column(sessions, "status")
        query = sessions.select(status, _COUNT).group_by(status)
        return {str(name): int(many) for name, many in self._connection.read(query)}

    def active(self) -> int:
        """How many sessions have not ended and are not archived."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        status, archived = (peewee.Column(sessions, name) for name in ("status", "archived_at"))
        query = sessions.select(_COUNT).where(status.not_in(ENDED), archived.is_null())
        return int(self._connection.read(query)[0][0])

    def lives(self) -> tuple[float, ...]:
        """How long each session that has ended for good lived, in seconds from its spawn; unknown
        where no reason was kept.
        """
        sessions = peewee.Table(name_of(tables.SessionTable))
        evidence = peewee.Table(name_of(tables.EvidenceTable))
        key, created, status = (
            peewee.Column(sessions, name) for name in ("id", "created_at", "status")
        )
        of, at, why = (peewee.Column(evidence, name) for name in ("session_id", "at", "status"))
        query = sessions.select(created, peewee.fn.MIN(at)).join(evidence, on=(of == key))
        query = query.where(status.in_(ENDED), why.in_(ENDED)).group_by(key, created)
        return tuple(_seconds(begun, ended) for begun, ended in self._connection.read(query))

    def cost_usd(self) -> Decimal:
        """What all sessions have cost as far as it is known."""
        metrics = peewee.Table(name_of(tables.MetricsTable))
        exact, rounded = (
            peewee.Column(metrics, name) for name in ("cost_usd", "estimated_cost_usd")
        )
        found = self._connection.read(
            metrics.select(exact, rounded).where((rounded != 0) | exact.is_null(False))
        )
        return sum((Decimal(str(cost or near)) for cost, near in found), Decimal(0))


def _seconds(begun: str, ended: str) -> float:
    since: datetime = parse_time(begun)
    return max(0.0, (parse_time(ended) - since).total_seconds())
