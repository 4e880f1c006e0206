"""The queue of sessions that wait for their turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import Waiting
from ennio.http.operation import Resource, operation, word
from ennio.http.response_cache import cached
from ennio.model.request_fields import NumberField


@dataclass(frozen=True, slots=True)
class MoveBody:
    """A place in the queue; 1 is next."""

    position: Annotated[int, NumberField(1, 1_000_000)]


@dataclass(frozen=True, slots=True)
class PriorityBody:
    """A priority; higher ones start first."""

    priority: Annotated[int, NumberField(-1000, 1000)]


class QueueResource(Resource):
    """Who waits, in which order, and why."""

    @cached
    @operation("Who waits, next one first.", list[Waiting])
    def on_get(self) -> Sequence[Waiting]:
        """List it, next one first."""
        return self._orchestrator.queue.list()

    @operation("Drop it from the queue.", word("dropped"))
    def on_delete_waiting(self, session_id: str) -> str:
        """Drop one: it will not be started."""
        self._orchestrator.queue.drop(self._known(session_id))
        return "dropped"

    @operation("Keep it waiting.", word("held"))
    def on_post_hold(self, session_id: str) -> str:
        """Keep one waiting until it is released."""
        self._orchestrator.queue.hold(self._known(session_id))
        return "held"

    @operation("Let it go on.", word("released"))
    def on_post_release(self, session_id: str) -> str:
        """Let a held one go on."""
        self._orchestrator.queue.release(self._known(session_id))
        return "released"

    @operation("Put it at a position; 1 is next.", word("moved"), body=MoveBody)
    def on_post_move(self, session_id: str, body: MoveBody) -> str:
        """Put one at a position; 1 is the next to start."""
        self._orchestrator.queue.move(self._known(session_id), body.position)
        return "moved"

    @operation("Change its priority.", word("set"), body=PriorityBody)
    def on_post_priority(self, session_id: str, body: PriorityBody) -> str:
        """Change the priority of a session; higher ones start first."""
        self._orchestrator.queue.set_priority(self._known(session_id), body.priority)
        return "set"
