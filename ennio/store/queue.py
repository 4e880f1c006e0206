"""The sessions that wait for a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Waiting:
    """One session in the queue. A ``held`` one is not admitted until released;
    ``reason`` says what it waits for, ``held_at`` since when it is held, ``blocked_at`` since when
    it waits for what only a person can mend.
    """

    session_id: str
    project_id: str
    priority: int
    position: int
    held: bool
    enqueued_at: datetime
    reason: str
    held_at: datetime | None = None
    blocked_at: datetime | None = None


class QueueRepository:
    """Keeps the queue: higher priority first, then by position, then whoever waits longest."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.QueueTable, shape_of(Waiting))

    def add(self, waiting: Waiting) -> bool:
        """Line a session up; False when it waits already. Raises
        NotFound for an unknown session.
        """
        return self._rows.add(waiting)

    def get(self, session_id: str) -> Waiting | None:
        """A session's place, or None."""
        return self._rows.get(session_id)

    def change(self, waiting: Waiting) -> bool:
        """Keep a changed place; False when the session waits no more: nobody is put back."""
        return self._rows.change(waiting)

    def remove(self, session_id: str) -> bool:
        """Take a session out; tells whether it was waiting, and of several who take
        it one alone is told so.
        """
        return self._rows.remove(session_id)

    def list(self) -> tuple[Waiting, ...]:
        """All that wait, in the order of admission."""
        return self._rows.find(order=("-priority", "position", "enqueued_at", "session_id"))
