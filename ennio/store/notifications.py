"""Notifications to people, written down before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ennio.model.session import Priority
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a person is told, over several channels.

    ``channels`` are those it should go over, ``sent`` those that took it, ``failed`` those that
    did not, with the reason. ``done_at`` is when nothing was left to try.
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
    attempts: int = 0
    done_at: datetime | None = None


class NotificationRepository:
    """Keeps notices; each fingerprint is taken once."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.NotificationTable, shape_of(Notice))

    def add(self, notice: Notice) -> bool:
        """Line up a notice; False when its fingerprint (or id) was there before."""
        return self._rows.add(notice)

    def get(self, notice_id: str) -> Notice | None:
        """One notice, or None."""
        return self._rows.get(notice_id)

    def save(self, notice: Notice) -> None:
        """Keep what became of a notice."""
        self._rows.save(notice)

    def pending(self) -> tuple[Notice, ...]:
        """The notices that are not done, oldest first."""
        return self._rows.find(order=("ordinal",), done_at=None)

    def list(self, limit: int = 50) -> tuple[Notice, ...]:
        """The last notices, newest first."""
        return self._rows.find(order=("-ordinal",), limit=limit)
