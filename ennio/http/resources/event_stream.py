"""The event log as it grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.fields import RequestField
from ennio.http.requests import read_query
from ennio.http.resources.events import SEQ
from ennio.http.selection import SELECTION, EventSelection
from ennio.http.sse import SseConnections, connection_of, stream

STREAM: Mapping[str, RequestField] = {"after": SEQ, **SELECTION}


class EventStreamResource:
    """Server-Sent Events, resumable by ``Last-Event-ID``."""

    def __init__(self, orchestrator: Orchestrator, sse_connections: SseConnections) -> None:
        self._orchestrator = orchestrator
        self._sse_connections = sse_connections

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Send what comes after ``Last-Event-ID``, else after ``after``, else from now on."""
        query = read_query(req, STREAM)
        after = self._cursor(req, query)
        if self._sse_connections.full:
            words = f"{self._sse_connections.open} event streams are open already, or the server is stopping; try again"
            raise falcon.HTTPServiceUnavailable(description=words, retry_after=2)
        resp.content_type = "text/event-stream; charset=utf-8"
        resp.set_header("X-Accel-Buffering", "no")
        if req.method != "HEAD":
            resp.stream = stream(self._orchestrator, self._sse_connections, after, EventSelection.of_query(query), connection_of(req.env))

    def _cursor(self, req: falcon.Request, query: Mapping[str, Any]) -> int:
        last = req.get_header("Last-Event-ID")
        if last is not None:
            return int(SEQ.from_text("Last-Event-ID", last))
        return self._orchestrator.events.last_seq() if query["after"] is None else query["after"]
