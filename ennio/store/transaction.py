"""A transaction under way: where events are emitted beside the change they tell of."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ennio.model.clock import Clock
from ennio.model.codec import to_json
from ennio.model.events import Draft, Event
from ennio.store.connection import Connection
from ennio.store.events import EventLog


class Transaction:
    """All or nothing; usable only inside its ``with``."""

    def __init__(self, connection: Connection, events: EventLog, clock: Clock) -> None:
        self._connection = connection
        self._events = events
        self._clock = clock
        self._emitted: list[Event] = []
        self._open = True

    @property
    def emitted(self) -> Sequence[Event]:
        """The events of this transaction so far."""
        return tuple(self._emitted)

    def emit(self, session_id: str, project_id: str, draft: Draft) -> Event:
        """Add an event to the log; an empty ``session_id`` for one that concerns no session.

        Raises NotFound when the session is not in the store.
        """
        if not self._open:
            raise RuntimeError("the transaction is over: emit inside its `with`")
        event = Event(
            seq=self._connection.bump("events"),
            id=str(uuid.uuid4()),
            event_type=str(draft.event_type),
            priority=draft.priority,
            session_id=session_id,
            project_id=project_id,
            timestamp=self._clock.now(),
            message=draft.message,
            data=to_json(draft.data),
        )
        self._events.append(event)
        self._emitted.append(event)
        return event

    def close(self) -> None:
        """Let nothing more in."""
        self._open = False
