"""Admits waiting sessions when there is room, in the order of the queue; the
queue itself is in the store.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import Admit, Ping, QueueChanged, Wake
from ennio.actors.registry import session_name
from ennio.model.events import Draft, EventType
from ennio.model.session import SessionStatus
from ennio.policy import admission
from ennio.policy.admission import Limits, Room
from ennio.store import Waiting

LOOK_EVERY = 5.0


class QueueActor(Actor):
    """Looks at the queue whenever somebody comes, goes or ends, and now and then for memory."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._timer: Any = None

    def on_start(self) -> None:
        """Look at once."""
        self._look()

    def on_stop(self) -> None:
        """No more looks."""
        if self._timer is not None:
            self._timer.kill(block=False)

    def on_receive(self, message: Any) -> Any:
        """Look."""
        match message:
            case QueueChanged() | Wake():
                self._look()
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _look(self) -> None:
        # who waits of a project that left the file goes on waiting: nobody could start it
        queue = [
            waiting
            for waiting in self._deps.store.queue.list()
            if self._deps.config.project(waiting.project_id) is not None
        ]
        if not queue:
            return
        decided = admission.decide(queue, self._limits(), self._room())
        for waiting in queue:
            if waiting.session_id in decided.admitted:
                self._admit(waiting.session_id, waiting.project_id)
            elif decided.reasons[waiting.session_id] != waiting.reason:
                self._leave_waiting(waiting, decided.reasons[waiting.session_id])
        if decided.reasons:
            if self._timer is not None:
                self._timer.kill(block=False)
            self._timer = self.later(LOOK_EVERY, Wake())

    def _leave_waiting(self, waiting: Waiting, reason: str) -> None:
        """What it waits for is told once; what comes of that later, such as
        another count, is in its place.
        """
        with self._deps.store.transaction() as tx:
            waits = self._deps.store.queue.change(replace(waiting, reason=reason))
            if waits and not waiting.reason:
                step = Draft(EventType.SESSION_STEP, f"queued: {reason}", data={"step": "queued"})
                tx.emit(waiting.session_id, waiting.project_id, step)

    def _admit(self, session_id: str, project_id: str) -> None:
        """Leaving the queue is the admission: a session that waits without
        standing in it starts by itself.
        """
        with self._deps.store.transaction() as tx:
            if not self._deps.store.queue.remove(session_id):
                return  # ended, or admitted, since it was looked at
            tx.emit(
                session_id,
                project_id,
                Draft(EventType.SESSION_STEP, "admitted", data={"step": "admitted"}),
            )
        self._deps.actors.tell(session_name(session_id), Admit())

    def _limits(self) -> Limits:
        config = self._deps.config
        per_project = {project.id: project.max_sessions for project in config.projects}
        return Limits(config.max_sessions, per_project, config.min_free_memory)

    def _room(self) -> Room:
        """Counted by the database: whoever asks for a session waits for
        this, however many there are.
        """
        admitted = self._deps.store.sessions.admitted()
        live: Counter[str] = Counter()
        for (project_id, _), many in admitted.items():
            live[project_id] += many
        # what was admitted a moment ago has not taken its memory yet
        starting = sum(
            many for (_, status), many in admitted.items() if status is SessionStatus.SPAWNING
        )
        return Room(
            live, self._deps.this_machine.free_memory() - starting * admission.MEMORY_PER_SESSION
        )
