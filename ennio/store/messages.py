"""Messages to agents, written down before they are sent: what each says, and
how far its delivery got.

The delivery is a row of ``deliveries``, in the lane of the session. Who takes it is decided by
the session's next step.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import datetime

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import Conflict
from ennio.model.message import Message, MessageState
from ennio.store import tables
from ennio.store.columns import RowShape, decode_fields, fields_of
from ennio.store.connection import Connection
from ennio.store.deliveries import DeliveryRepository
from ennio.store.row_table import RowTable

_DELIVERED = ("state", "started_at", "delivered_at", "attempts", "error", "detail")
_COLUMNS = tuple(one.name for one in fields(Message) if one.name not in _DELIVERED)
_SHAPE = RowShape(
    _COLUMNS, fields_of(_COLUMNS), lambda values: Message(**decode_fields(Message, values))
)
_STATES = {
    MessageState.QUEUED: DeliveryState.INTENDED,
    MessageState.SENDING: DeliveryState.DOING,
    MessageState.SENT_UNSURE: DeliveryState.UNSURE,
    MessageState.DELIVERED: DeliveryState.DONE,
    MessageState.FAILED: DeliveryState.FAILED,
    MessageState.DROPPED: DeliveryState.DROPPED,
}
_SHOWN = {state: shown for shown, state in _STATES.items()}


class MessageRepository:
    """Keeps messages. A fingerprint is taken once per session, whatever became of its message."""

    def __init__(self, connection: Connection, deliveries: DeliveryRepository) -> None:
        self._rows = RowTable(connection, tables.MessageTable, _SHAPE)
        self._deliveries = deliveries

    def add(self, message: Message) -> bool:
        """Queue a message; False when the session has had its fingerprint (or id). Raises
        NotFound for an unknown session.
        """
        with self._rows.connection.transaction():
            return self._rows.add(message) and self._deliveries.intend(_delivery(message))

    def get(self, message_id: str) -> Message | None:
        """One message, or None."""
        found = self._rows.get(message_id)
        if found is None:
            return None
        delivery = self._deliveries.get(DeliveryKind.MESSAGE, found.id, found.session_id)
        return found if delivery is None else _with(found, delivery)

    def take(self, message: Message, launch: int, now: datetime) -> Message:
        """Begin a try in this launch, and give the message as it is now.

        Raises Conflict when it is not as it was read: somebody else has it by now.
        """
        with self._rows.connection.transaction():
            taken = self._deliveries.take(_delivery(message), now)
            if taken is None:
                raise _changed(message)
            begun = _with(replace(message, launch=launch), taken)
            self._keep(message, begun)
        return begun

    def settle(self, before: Message, after: Message, now: datetime) -> None:
        """Keep what became of a message. Raises Conflict when it is not as it was read."""
        with self._rows.connection.transaction():
            if not self._deliveries.settle(_delivery(before), _delivery(after, now)):
                raise _changed(before)
            self._keep(before, after)

    def list(self, session_id: str) -> tuple[Message, ...]:
        """All messages of a session, oldest first."""
        found = self._rows.find(order=("ordinal",), session_id=session_id)
        deliveries = self._deliveries.of_lane(DeliveryKind.MESSAGE, session_id) if found else ()
        known = {one.subject: one for one in deliveries}
        return tuple(_with(message, known[message.id]) for message in found)

    def next(self, session_id: str) -> Message | None:
        """The oldest message that still needs something done, or None."""
        first = self._deliveries.first_open(DeliveryKind.MESSAGE, session_id)
        return None if first is None else self.get(first.subject)

    def waiting(self) -> dict[str, Message]:
        """The oldest message of each session that still needs something done; two
        queries whatever their number.
        """
        first: dict[str, DeliveryRecord] = {}
        for delivery in self._deliveries.open(DeliveryKind.MESSAGE):
            first.setdefault(delivery.lane, delivery)
        return {message.session_id: message for message in self._of(first.values())}

    def pending(self, session_id: str) -> tuple[Message, ...]:
        """The messages that still need something done, oldest first."""
        return self._of(self._deliveries.open(DeliveryKind.MESSAGE, session_id))

    def _of(self, deliveries: Collection[DeliveryRecord]) -> tuple[Message, ...]:
        """What is delivered, in the order of the deliveries; one of a session
        that is deleted is nobody's.
        """
        if not deliveries:
            return ()
        found = {
            one.id: one for one in self._rows.find(id=tuple(one.subject for one in deliveries))
        }
        return tuple(_with(found[one.subject], one) for one in deliveries if one.subject in found)

    def _keep(self, before: Message, after: Message) -> None:
        if self._rows.shape.encode(before) != self._rows.shape.encode(after):
            self._rows.save(after)


def _changed(message: Message) -> Conflict:
    return Conflict(f"message {message.id} is not as it was read: somebody else has it by now")


def _delivery(message: Message, now: datetime | None = None) -> DeliveryRecord:
    state = _STATES[message.state]
    ended = message.delivered_at or now or message.started_at or message.created_at
    return DeliveryRecord(
        DeliveryKind.MESSAGE,
        message.id,
        message.session_id,
        state,
        message.attempts,
        tried_at=message.started_at,
        error=message.error,
        result=message.detail or None,
        settled_at=None if state.open else ended,
    )


def _with(message: Message, delivery: DeliveryRecord) -> Message:
    done = delivery.state is DeliveryState.DONE
    return replace(
        message,
        state=_SHOWN[delivery.state],
        started_at=delivery.tried_at,
        delivered_at=delivery.settled_at if done else None,
        attempts=delivery.attempts,
        error=delivery.error,
        detail=delivery.result or "",
    )
