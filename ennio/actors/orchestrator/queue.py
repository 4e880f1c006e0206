"""The queue of sessions that wait for their turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import QueueChanged
from ennio.actors.orchestrator.sessions import SessionApi
from ennio.actors.registry import QUEUE
from ennio.model.errors import Conflict
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import failpoint
from ennio.model.session import Session
from ennio.store import Transaction, Waiting

_ONE_ROW = "writes one row and its event, as the orders that are played, and may be given again"
_SAID = {
    "held": "held: it waits until it is released",
    "released": "released: it starts when there is room",
    "moved": "moved to another place in the queue",
    "priority": "given another priority in the queue",
}


@dataclass(frozen=True, slots=True)
class QueueApi:
    """Who waits, in which order and why; the orders raise Conflict for a session that does not."""

    deps: Dependencies
    sessions: SessionApi

    def list(self) -> Sequence[Waiting]:
        """All that wait, the next one first; ``position`` counts from 1 over all of them."""
        return [
            replace(waiting, position=place)
            for place, waiting in enumerate(self.deps.store.queue.list(), start=1)
        ]

    @failpoint("order.hold", because=_ONE_ROW)
    def hold(self, session_id: str) -> Waiting:
        """Keep a waiting session from starting."""
        waiting, now = self._waiting(session_id), self.deps.clock.now()
        since = waiting.held_at if waiting.held else now
        return self._requeue(replace(waiting, held=True, held_at=since), "held")

    @failpoint("order.release")
    def release(self, session_id: str) -> Waiting:
        """Let a held session start when there is room."""
        return self._requeue(
            replace(self._waiting(session_id), held=False, held_at=None), "released"
        )

    @failpoint("order.move", because=_ONE_ROW)
    def move(self, session_id: str, position: int) -> Waiting:
        """Put a waiting session at this place (from 1) among those of its priority."""
        waiting = self._waiting(session_id)
        peers = [
            w
            for w in self.deps.store.queue.list()
            if w.priority == waiting.priority and w.session_id != session_id
        ]
        peers.insert(max(0, position - 1), waiting)
        with self.deps.store.transaction() as tx:
            for place, peer in enumerate(peers, start=1):
                self.deps.store.queue.change(replace(peer, position=place))
            self._tell(tx, waiting, "moved")
        self.deps.actors.tell(QUEUE, QueueChanged())
        return self._waiting(session_id)

    @failpoint("order.set_priority", because=_ONE_ROW)
    def set_priority(self, session_id: str, priority: int) -> Waiting:
        """Higher starts earlier."""
        return self._requeue(replace(self._waiting(session_id), priority=priority), "priority")

    @failpoint("order.drop")
    def drop(self, session_id: str) -> Session:
        """Take a waiting session out of the queue for good."""
        self._waiting(session_id)
        return self.sessions.kill(session_id, "a person, before it started")

    def _waiting(self, session_id: str) -> Waiting:
        waiting = self.deps.store.queue.get(session_id)
        if waiting is None:
            session = self.deps.store.sessions.need(session_id)
            raise Conflict(
                f"session {session_id} does not wait in the queue; it is {session.status}"
            )
        return waiting

    def _requeue(self, waiting: Waiting, step: str) -> Waiting:
        before = self._waiting(waiting.session_id)
        with self.deps.store.transaction() as tx:
            changed = self.deps.store.queue.change(waiting)
            if changed and replace(waiting, reason=before.reason) != before:
                self._tell(tx, waiting, step)
        if not changed:
            return self._waiting(waiting.session_id)  # it has left meanwhile: why is said there
        self.deps.actors.tell(QUEUE, QueueChanged())
        return self.deps.store.queue.get(waiting.session_id) or waiting

    def _tell(self, tx: Transaction, waiting: Waiting, step: str) -> None:
        """Whoever looks on elsewhere sees what a person did to the queue."""
        draft = Draft(EventType.SESSION_STEP, _SAID[step], data={"step": step})
        tx.emit(waiting.session_id, waiting.project_id, draft)
