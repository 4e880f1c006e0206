"""What sessions look like just now, for dashboards elsewhere: told when it changes, at most once a
second each, and never twice the same.

This is no log: what nobody was there to hear is not said again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.model.codec import shown
from ennio.model.session import Session
from ennio.model.subjects import of_house
from ennio.nats.fitting import object_payload
from ennio.nats.protocol import MOST_BYTES, Outgoing
from ennio.policy.metering import SessionMetrics

PAUSE = timedelta(seconds=1)


class LiveRows:
    """Gathers what was written of sessions, until it is taken."""

    def __init__(self, deps: Dependencies, instance: str = "") -> None:
        self._deps = deps
        self._instance = instance
        self._waiting: dict[str, Session] = {}
        self._rows: dict[str, Session] = {}
        self._numbers: dict[str, SessionMetrics] = {}
        self._taken_at: datetime | None = None

    def written(self, session: Session) -> None:
        """This is how a session is now."""
        self._waiting[session.id] = session

    @property
    def due(self) -> datetime | None:
        """When what waits may be taken; None where nothing does."""
        now = self._deps.clock.now()
        if not self._waiting:
            return None
        return now if self._taken_at is None else max(now, min(self._taken_at, now) + PAUSE)

    def taken(self, most: int = MOST_BYTES) -> list[Outgoing]:
        """What is to be told of those that waited, each in so many bytes at most."""
        self._taken_at = self._deps.clock.now()
        waiting, self._waiting = self._waiting, {}
        return [message for session in waiting.values() for message in self._of(session, most)]

    def _of(self, session: Session, most: int) -> Iterator[Outgoing]:
        if session.archived_at is not None:
            self._rows.pop(session.id, None)
            self._numbers.pop(session.id, None)
            yield self._message("dashboard", "row_gone", session, {}, most)
            return
        if self._rows.get(session.id) != session:
            self._rows[session.id] = session
            yield self._message("dashboard", "row_changed", session, shown(session), most)
        numbers = self._deps.store.metrics.get(session.id)
        if self._numbers.get(session.id) != numbers:
            self._numbers[session.id] = numbers
            yield self._message("metrics", "session", session, shown(numbers), most)

    def _message(
        self, category: str, action: str, session: Session, told: Mapping[str, Any], most: int
    ) -> Outgoing:
        whole = {"session_id": session.id, "project_id": session.project_id, **told}
        return Outgoing(of_house(category, action, self._instance), object_payload(whole, most))
