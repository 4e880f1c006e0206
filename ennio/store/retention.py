"""What is no longer kept goes, a few rows at a time, each time in one transaction.

Whatever a total counts is added to what was counted before in the transaction in which it goes, so
totals never fall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ennio.model.delivery import DeliveryKind
from ennio.store import tables
from ennio.store.columns import encode
from ennio.store.connection import Connection
from ennio.store.declaring import DeclaredTable, name_of
from ennio.store.events import EventLog
from ennio.store.forecasts import MOST as FORETOLD_FROM
from ennio.store.statements import peewee
from ennio.store.totals import ENDED, TotalsRepository

STEP = 200
"""Rows that go in one transaction: it is over before anybody waits for it."""
_UNTIL = "until"


@dataclass(frozen=True, slots=True)
class PastSession:
    """One that was cleaned up: since when, and the number of its last event."""

    id: str
    archived_at: str
    last_seq: int


class RetentionRepository:
    """Lets rows go; ``transaction`` is the store's."""

    def __init__(
        self,
        connection: Connection,
        events: EventLog,
        totals: TotalsRepository,
        transaction: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._connection = connection
        self._events = events
        self._totals = totals
        self._transaction = transaction

    # --- the log ----------------------------------------------------------------------------------

    def forget_events(self, until: int) -> int:
        """Let the oldest events go, up to a number, ``STEP`` of them at most; how many went."""
        with self._transaction():
            oldest = [event for event in self._events.after(0, limit=STEP) if event.seq <= until]
            if oldest:
                self._count({event.seq: event.event_type for event in oldest})
                for table in (tables.EventTable, tables.SystemEventTable):
                    self._remove(table, "seq", [event.seq for event in oldest])
        return len(oldest)

    def _count(self, types: Mapping[int, str]) -> None:
        """They stay counted; how far is noted for whoever has not counted them yet."""
        for kind, many in Counter(types.values()).items():
            self._totals.add(f"event:{kind}", many)
        self._totals.put(_UNTIL, max(*types, self._totals.pruned_until()))

    # --- why, and what was done -------------------------------------------------------------------

    def forget_facts(self, before: datetime) -> int:
        """Let go why sessions had earlier statuses, what reactions did, and what issues were told.

        The reason for the present status stays, and that for the end of a session. Where nothing is
        old nothing is begun: at rest nothing is written, not even that somebody was about to.
        """
        if not any(self._old_facts(before)):
            return 0
        with self._transaction():
            reasons, history, told = self._old_facts(before)
            self._remove(tables.EvidenceTable, "ordinal", reasons)
            self._remove(tables.ReactionHistoryTable, "ordinal", history)
            self._remove(tables.DeliveryTable, "subject", told, self._is_milestone())
        return len(reasons) + len(history) + len(told)

    def _old_facts(self, before: datetime) -> tuple[list[Any], list[Any], list[Any]]:
        return (
            self._old_reasons(before),
            self._old(tables.ReactionHistoryTable, "ordinal", "at", before),
            self._old(tables.DeliveryTable, "subject", "settled_at", before, self._is_milestone()),
        )

    def _is_milestone(self) -> Any:
        return self._column(tables.DeliveryTable, "kind") == encode(DeliveryKind.MILESTONE)

    def _old_reasons(self, before: datetime) -> list[Any]:
        evidence = peewee.Table(name_of(tables.EvidenceTable))
        later = evidence.alias("later")
        at, status, ordinal, of = (
            peewee.Column(evidence, name) for name in ("at", "status", "ordinal", "session_id")
        )
        newer = later.select(peewee.SQL("1")).where(
            peewee.Column(later, "session_id") == of, peewee.Column(later, "ordinal") > ordinal
        )
        query = evidence.select(ordinal).where(
            at < encode(before), status.not_in(ENDED), peewee.fn.EXISTS(newer)
        )
        return [row[0] for row in self._connection.read(query.order_by(at).limit(STEP))]

    def _old(
        self,
        table: type[DeclaredTable],
        key: str,
        time: str,
        before: datetime,
        *conditions: Any,
    ) -> list[Any]:
        rows = peewee.Table(name_of(table))
        at = peewee.Column(rows, time)
        query = rows.select(peewee.Column(rows, key)).where(at < encode(before), *conditions)
        return [row[0] for row in self._connection.read(query.order_by(at).limit(STEP))]

    def forget_forecasts(self) -> int:
        """Let forecasts go of sessions that ended so long ago that nothing is foretold from them;
        some at a time. Returns how many went.
        """
        forecasts = peewee.Table(name_of(tables.ForecastTable))
        key, ended = (peewee.Column(forecasts, name) for name in ("session_id", "ended_at"))
        query = forecasts.select(key).where(ended.is_null(False)).order_by(ended.desc(), key)
        old = [row[0] for row in self._connection.read(query.limit(STEP).offset(FORETOLD_FROM))]
        self._remove(tables.ForecastTable, "session_id", old)
        return len(old)

    # --- sessions ---------------------------------------------------------------------------------

    def past_sessions(self, limit: int = 20) -> tuple[PastSession, ...]:
        """Those that have ended for good and were cleaned up, the longest ago first."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        key, status, archived = (
            peewee.Column(sessions, name) for name in ("id", "status", "archived_at")
        )
        query = sessions.select(key, archived).where(archived.is_null(False), status.in_(ENDED))
        found = self._connection.read(query.order_by(archived, key).limit(limit))
        return tuple(PastSession(name, at, self._last_seq(name)) for name, at in found)

    def count_past(self) -> int:
        """How many of them there are."""
        sessions = peewee.Table(name_of(tables.SessionTable))
        status, archived = (peewee.Column(sessions, name) for name in ("status", "archived_at"))
        query = sessions.select(peewee.fn.COUNT(peewee.SQL("*")))
        found = self._connection.read(query.where(archived.is_null(False), status.in_(ENDED)))
        return int(found[0][0])

    def _last_seq(self, session_id: str) -> int:
        last = self._events.before(None, 1, session_id=session_id)
        return last[0].seq if last else 0

    def forget_session(self, session_id: str) -> bool:
        """Let a past session go: its events, some at a time, then the rest; whether it is gone."""
        with self._transaction():
            events = self._events.after(0, limit=STEP, session_id=session_id)
            if events:
                self._count({event.seq: event.event_type for event in events})
                for table in (tables.EventTable, tables.SystemEventTable):
                    self._remove(table, "seq", [event.seq for event in events])
            if len(events) < STEP:
                self._forget_rest(session_id)
        return len(events) < STEP

    def _forget_rest(self, session_id: str) -> None:
        self._keep_numbers(session_id)
        notices = self._of_session(tables.NotificationTable, "id", session_id)
        reviews = self._of_session(tables.ReviewOrderTable, "id", session_id)
        for kind, column, values in (
            (DeliveryKind.NOTICE, "subject", notices),
            (DeliveryKind.REVIEW, "subject", reviews),
            (DeliveryKind.MESSAGE, "lane", [session_id]),
        ):
            of_kind = self._column(tables.DeliveryTable, "kind") == encode(kind)
            self._remove(tables.DeliveryTable, column, values, of_kind)
        self._remove(tables.NotificationTable, "id", notices)
        for table in (tables.ReactionTable, tables.ReactionHistoryTable):
            self._remove(table, "session_id", [session_id])
        self._remove(tables.SessionTable, "id", [session_id])  # what is its own goes with it

    def _keep_numbers(self, session_id: str) -> None:
        """Its end and its life stay counted; what it cost stays in the books."""
        numbers = self._totals.of_session(session_id)
        self._totals.add(f"status:{numbers.status}", 1)
        for place, many in enumerate(numbers.life.within):
            self._totals.add(f"life:{place}", many)
        self._totals.add("life", Decimal(str(numbers.life.total)))

    def _of_session(self, table: type[DeclaredTable], key: str, session_id: str) -> list[Any]:
        rows = peewee.Table(name_of(table))
        query = rows.select(peewee.Column(rows, key))
        found = query.where(peewee.Column(rows, "session_id") == session_id)
        return [row[0] for row in self._connection.read(found)]

    # --- rows -------------------------------------------------------------------------------------

    @staticmethod
    def _column(table: type[DeclaredTable], name: str) -> Any:
        return peewee.Column(peewee.Table(name_of(table)), name)

    def _remove(
        self, table: type[DeclaredTable], key: str, values: Collection[Any], *conditions: Any
    ) -> None:
        if values:
            rows = peewee.Table(name_of(table))
            those = peewee.Column(rows, key).in_(list(values))
            self._connection.change(rows.delete().where(those, *conditions))
