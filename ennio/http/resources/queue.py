"""The queue of sessions that wait for their turn."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import NumberField, RequestField, identifier
from ennio.http.requests import read_body, read_query
from ennio.http.response_cache import ResponseCache, cached

MOVE: Mapping[str, RequestField] = {"position": NumberField(1, 1_000_000, required=True)}
PRIORITY: Mapping[str, RequestField] = {"priority": NumberField(-1000, 1000, required=True)}


class QueueResource:
    """Who waits, in which order, and why."""

    def __init__(self, orchestrator: Orchestrator, cache: ResponseCache) -> None:
        self._orchestrator = orchestrator
        self.cache = cache

    @cached
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List it, next one first."""
        read_query(req, {})
        answer(resp, self._orchestrator.queue.list())

    def on_delete_waiting(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Drop one: it will not be started."""
        read_query(req, {})
        self._orchestrator.queue.drop(self._known(session_id))
        answer(resp, "dropped")

    def on_post_hold(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Keep one waiting until it is released."""
        read_body(req, {})
        self._orchestrator.queue.hold(self._known(session_id))
        answer(resp, "held")

    def on_post_release(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Let a held one go on."""
        read_body(req, {})
        self._orchestrator.queue.release(self._known(session_id))
        answer(resp, "released")

    def on_post_move(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Put one at a position; 1 is the next to start."""
        position = read_body(req, MOVE)["position"]
        self._orchestrator.queue.move(self._known(session_id), position)
        answer(resp, "moved")

    def on_post_priority(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Change the priority of a session; higher ones start first."""
        priority = read_body(req, PRIORITY)["priority"]
        self._orchestrator.queue.set_priority(self._known(session_id), priority)
        answer(resp, "set")

    def _known(self, session_id: str) -> str:
        return self._orchestrator.sessions.need(identifier("session id", session_id)).id
