"""Deliveries, written down before they happen; each is taken by one, whoever else may be there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.store import tables
from ennio.store.columns import encode, shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable
from ennio.store.statements import peewee

_TRY = ("state", "attempts")


class DeliveryRepository:
    """Keeps deliveries; each subject goes to each lane once."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.DeliveryTable, shape_of(DeliveryRecord))

    def intend(self, delivery: DeliveryRecord) -> bool:
        """Write a delivery down; False when its subject was on its way to this lane
        before, whatever came of it.
        """
        return self._rows.add(delivery)

    def get(self, kind: DeliveryKind, subject: str, lane: str) -> DeliveryRecord | None:
        """One delivery, or None."""
        return self._rows.get(kind, subject, lane)

    def of(self, kind: DeliveryKind, subjects: Collection[str]) -> tuple[DeliveryRecord, ...]:
        """Every delivery of some subjects, subject by subject, in the
        order they were written down.
        """
        return (
            self._rows.find(order=("subject", "ordinal"), kind=kind, subject=tuple(subjects))
            if subjects
            else ()
        )

    def open(self, kind: DeliveryKind, lane: str | None = None) -> tuple[DeliveryRecord, ...]:
        """The deliveries of a kind that have not ended, by lane (or in one), in the
        order they were written down.
        """
        only: dict[str, Any] = {} if lane is None else {"lane": lane}
        return self._rows.find(order=("lane", "ordinal"), kind=kind, settled_at=None, **only)

    def tally(self) -> Mapping[str, int]:
        """How many there are of each kind, lane and state."""
        found = self._rows.tally(("kind", "lane", "state"), kind=tuple(DeliveryKind))
        return {" ".join(map(str, key)): many for key, many in sorted(found.items())}

    def troubled(self, kind: DeliveryKind) -> Mapping[str, tuple[int, str]]:
        """By lane that does not take what it is given: how many of a kind wait for it, tried or
        not, and one of the reasons.
        """
        lane, error = self._rows.column("lane"), self._rows.column("error")
        query = self._rows.table.select(
            lane, peewee.fn.COUNT(peewee.SQL("*")), peewee.fn.MAX(error)
        )
        waits = self._rows.column("kind") == encode(kind), self._rows.column("settled_at").is_null()
        failed = peewee.fn.MAX(error).is_null(False)
        lanes = query.where(*waits).group_by(lane).having(failed).order_by(lane)
        found = self._rows.connection.read(lanes)
        return {str(name): (int(many), str(why)) for name, many, why in found}

    def last_tried(self, kind: DeliveryKind, lane: str) -> DeliveryRecord | None:
        """The last delivery in a lane that was taken, or given up; None where there is none."""
        ended = DeliveryState.DONE, DeliveryState.REFUSED, DeliveryState.FAILED
        found = self._rows.find(order=("-ordinal",), limit=1, kind=kind, lane=lane, state=ended)
        return found[0] if found else None

    def failed(self, kind: DeliveryKind, limit: int = 1000) -> tuple[str, ...]:
        """The subjects of the last deliveries of a kind that a destination did not take, or not
        yet, each once.
        """
        column = self._rows.column
        given_up = encode(DeliveryState.REFUSED), encode(DeliveryState.FAILED)
        waits = column("settled_at").is_null() & column("error").is_null(False)
        lost = column("state").in_(list(given_up)) | waits
        found = self._rows.find(lost, order=("-ordinal",), limit=limit, kind=kind)
        return tuple(dict.fromkeys(one.subject for one in found))

    def tried(self, kind: DeliveryKind, since: datetime) -> tuple[DeliveryRecord, ...]:
        """The deliveries of a kind that were tried since then, whatever came of them."""
        late = self._rows.column("tried_at") >= encode(since)
        return self._rows.find(late, order=("lane", "ordinal"), kind=kind)

    def first_open(self, kind: DeliveryKind, lane: str) -> DeliveryRecord | None:
        """The first delivery in a lane that has not ended, or None."""
        found = self._rows.find(order=("ordinal",), limit=1, kind=kind, settled_at=None, lane=lane)
        return found[0] if found else None

    def of_lane(self, kind: DeliveryKind, lane: str) -> tuple[DeliveryRecord, ...]:
        """Every delivery to a lane, whatever became of it, in the order they were written down."""
        return self._rows.find(order=("ordinal",), kind=kind, lane=lane)

    def hasten(self, kind: DeliveryKind, lane: str | None = None) -> None:
        """End every pause (in one lane): whoever starts has a reason to try again."""
        column = self._rows.column
        of_lane = () if lane is None else (column("lane") == lane,)
        paused = column("settled_at").is_null(), column("not_before").is_null(False)
        self._change({"not_before": None}, column("kind") == encode(kind), *of_lane, *paused)

    def take(self, delivery: DeliveryRecord, now: datetime) -> DeliveryRecord | None:
        """Begin a try, as it is told afterwards; None when it is not as it was read:
        somebody else has it by now.
        """
        again = delivery.state is DeliveryState.DOING
        taken = replace(
            delivery,
            state=DeliveryState.DOING,
            attempts=delivery.attempts + 1,
            broken_off=delivery.broken_off + 1 if again else 0,
            tried_at=now,
            not_before=None,
        )
        return taken if self._write(taken, delivery) else None

    def settle(self, taken: DeliveryRecord, outcome: DeliveryRecord) -> bool:
        """Keep what came of a try; False when it is not the last one any more, and
        then nothing is written.
        """
        return self._write(outcome, taken)

    def _write(self, after: DeliveryRecord, before: DeliveryRecord) -> bool:
        """Put one state in the place of another, if it still is that one: every try
        has a number of its own.
        """
        was = [
            self._rows.column(name) == encode(getattr(before, name))
            for name in (*self._rows.key, *_TRY)
        ]
        values = {
            name: value
            for name, value in self._rows.shape.encode(after).items()
            if name not in self._rows.key
        }
        return self._change(values, *was) > 0

    def _change(self, values: Mapping[str, Any], *where: Any) -> int:
        update = {self._rows.column(name): value for name, value in values.items()}
        return self._rows.connection.change(self._rows.table.update(update).where(*where))
