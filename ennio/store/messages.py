"""Messages to agents, written down before they are sent."""

from __future__ import annotations

from ennio.model.message import Message, MessageState
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

_PENDING = tuple(state for state in MessageState if state.pending)


class MessageRepository:
    """Keeps messages. A fingerprint is taken once per session, whatever became of its message."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.MessageTable, shape_of(Message))

    def add(self, message: Message) -> bool:
        """Queue a message; False when the session has had its fingerprint (or id). Raises
        NotFound for an unknown session.
        """
        return self._rows.add(message)

    def get(self, message_id: str) -> Message | None:
        """One message, or None."""
        return self._rows.get(message_id)

    def save(self, message: Message) -> None:
        """Keep what became of a message."""
        self._rows.save(message)

    def list(self, session_id: str) -> tuple[Message, ...]:
        """All messages of a session, oldest first."""
        return self._rows.find(order=("ordinal",), session_id=session_id)

    def waiting(self) -> dict[str, Message]:
        """The oldest message of each session that still needs something done; one
        query whatever their number.
        """
        found: dict[str, Message] = {}
        for message in self._rows.find(order=("ordinal",), state=_PENDING):
            found.setdefault(message.session_id, message)
        return found

    def pending(self, session_id: str) -> tuple[Message, ...]:
        """The messages that still need something done, oldest first."""
        return self._rows.find(order=("ordinal",), session_id=session_id, state=_PENDING)
