"""Why an agent or a person is told something: the one maker of what they are told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from ennio.model.events import EventType
from ennio.model.message import Message, Origin
from ennio.model.session import Priority, Session
from ennio.store import Notice


@dataclass(frozen=True, slots=True)
class ReactionCause:
    """A reaction to a session; ``fingerprint`` is what it saw, by which it acts once. ``key`` None:
    no rule of the configuration is behind it.
    """

    key: str | None
    session: Session
    fingerprint: str
    at: datetime

    def message(self, text: str) -> Message:
        """What the agent is told."""
        return Message(
            str(uuid.uuid4()),
            self.session.id,
            text,
            Origin.REACTION,
            self.at,
            fingerprint=self.fingerprint,
            reaction=self.key,
        )

    def notice(self, event: EventType, priority: Priority, words: str) -> Notice:
        """What a person is told."""
        return Notice(
            id=str(uuid.uuid4()),
            event_type=event.value,
            priority=priority,
            session_id=self.session.id,
            project_id=self.session.project_id,
            message=words,
            at=self.at,
            reaction=self.key,
            fingerprint=self.fingerprint,
        )
