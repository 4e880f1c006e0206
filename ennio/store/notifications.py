"""Notifications to people, written down before they are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.session import Priority
from ennio.model.shape import INTERNAL
from ennio.store import tables
from ennio.store.columns import RowShape, decode_fields, encode, fields_of
from ennio.store.connection import Connection
from ennio.store.deliveries import DeliveryRepository
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a person is told, over several channels.

    ``channels`` are those it should go over, ``done_at`` is when nothing was left to try. Its
    deliveries tell the rest: ``sent`` are the channels that took it, ``failed`` those that did not,
    with the reason, ``refused`` those of them that are not tried again, and ``attempts`` is how
    often the one was tried that was tried most.

    ``resolved_at`` is when its cause was gone, ``withdrawn_at`` when nothing of that was left to
    do. ``folds`` is how many others it tells of together, None for one that tells of itself.
    """

    id: str
    event_type: str
    priority: Priority
    session_id: str
    project_id: str
    message: str
    at: datetime
    reaction: str | None = None
    fingerprint: str | None = None
    channels: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    attempts: int = 0
    done_at: datetime | None = None
    resolved_at: datetime | None = None
    withdrawn_at: datetime | None = field(default=None, metadata=INTERNAL)
    folds: int | None = None


_KEPT = ("channels", "done_at", "withdrawn_at")
_DELIVERED = ("sent", "failed", "refused", "attempts")
_COLUMNS = tuple(one.name for one in fields(Notice) if one.name not in _DELIVERED)
_SHAPE = RowShape(
    _COLUMNS, fields_of(_COLUMNS), lambda values: Notice(**decode_fields(Notice, values))
)


class NotificationRepository:
    """Keeps notices; each fingerprint is taken once. What became of them on each channel
    is read from deliveries.
    """

    def __init__(self, connection: Connection, deliveries: DeliveryRepository) -> None:
        self._rows = RowTable(connection, tables.NotificationTable, _SHAPE)
        self._deliveries = deliveries

    def add(self, notice: Notice) -> bool:
        """Line up a notice; False when its fingerprint (or id) was there before."""
        return self._rows.add(notice)

    def get(self, notice_id: str) -> Notice | None:
        """One notice, or None."""
        found = self._rows.get(notice_id)
        return None if found is None else self._whole([found])[0]

    def save(self, notice: Notice) -> None:
        """Keep over which channels a notice goes, and when it was done or withdrawn, and no more:
        somebody else may have resolved it since it was read.
        """
        values = self._rows.shape.encode(notice)
        update = {self._rows.column(name): values[name] for name in _KEPT}
        mine = self._rows.column("id") == notice.id
        self._rows.connection.change(self._rows.table.update(update).where(mine))

    def resolve(self, reaction: str, now: datetime, **whose: str) -> bool:
        """Say that the cause of what was told by a reaction is gone; tells whether there was any.

        ``whose`` names the session or the project by its column.
        """
        update = {self._rows.column("resolved_at"): encode(now)}
        equal = {"reaction": reaction, **whose}
        where = [self._rows.column(name) == value for name, value in equal.items()]
        unresolved = self._rows.column("resolved_at").is_null()
        query = self._rows.table.update(update).where(*where, unresolved)
        return self._rows.connection.change(query) > 0

    def unresolved(self, reactions: Collection[str]) -> tuple[Notice, ...]:
        """Those of some reactions of which nobody has said that their cause is gone."""
        return self._rows.find(reaction=tuple(reactions), resolved_at=None)

    def resolved(self) -> tuple[Notice, ...]:
        """Those whose cause is gone, and about which there is still something to do."""
        gone = self._rows.column("resolved_at").is_null(False)
        return self._whole(self._rows.find(gone, order=("ordinal",), withdrawn_at=None))

    def pending(self) -> tuple[Notice, ...]:
        """The notices that are not done, oldest first."""
        return self._whole(self._rows.find(order=("ordinal",), done_at=None))

    def unrouted(self) -> tuple[Notice, ...]:
        """The notices that go over no channel yet, oldest first."""
        return self._whole(self._rows.find(order=("ordinal",), done_at=None, channels="[]"))

    def list(self, limit: int = 50, *, failed: bool = False) -> tuple[Notice, ...]:
        """The last notices, newest first; ``failed``: those that some channel did not take."""
        if not failed:
            return self._whole(self._rows.find(order=("-ordinal",), limit=limit))
        ids = self._deliveries.failed(DeliveryKind.NOTICE)
        found = self._rows.find(order=("-ordinal",), limit=limit, id=ids) if ids else ()
        return self._whole(found)

    def _whole(self, notices: Sequence[Notice]) -> tuple[Notice, ...]:
        by_notice: defaultdict[str, list[DeliveryRecord]] = defaultdict(list)
        for delivery in self._deliveries.of(DeliveryKind.NOTICE, [notice.id for notice in notices]):
            by_notice[delivery.subject].append(delivery)
        return tuple(_with(notice, by_notice[notice.id]) for notice in notices)


def _with(notice: Notice, deliveries: Sequence[DeliveryRecord]) -> Notice:
    return replace(
        notice,
        sent=tuple(one.lane for one in deliveries if one.state is DeliveryState.DONE),
        failed={
            one.lane: one.error
            for one in deliveries
            if one.error and one.state not in (DeliveryState.DONE, DeliveryState.FOLDED)
        },
        refused=tuple(one.lane for one in deliveries if one.state is DeliveryState.REFUSED),
        attempts=max((one.attempts for one in deliveries), default=0),
    )
