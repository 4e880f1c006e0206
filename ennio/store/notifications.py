"""Notifications to people, written down before they are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.session import Priority
from ennio.store import tables
from ennio.store.columns import RowShape, decode_fields, fields_of
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
        """Keep over which channels a notice goes, and when it was done."""
        self._rows.save(notice)

    def pending(self) -> tuple[Notice, ...]:
        """The notices that are not done, oldest first."""
        return self._whole(self._rows.find(order=("ordinal",), done_at=None))

    def unrouted(self) -> tuple[Notice, ...]:
        """The notices that go over no channel yet, oldest first."""
        return self._whole(self._rows.find(order=("ordinal",), done_at=None, channels="[]"))

    def list(self, limit: int = 50) -> tuple[Notice, ...]:
        """The last notices, newest first."""
        return self._whole(self._rows.find(order=("-ordinal",), limit=limit))

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
            if one.error and one.state is not DeliveryState.DONE
        },
        refused=tuple(one.lane for one in deliveries if one.state is DeliveryState.REFUSED),
        attempts=max((one.attempts for one in deliveries), default=0),
    )
