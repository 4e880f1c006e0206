"""The WSGI application: every route of the table, one gate before them,
one error map behind them.
"""

from __future__ import annotations

import os
from typing import Any

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.auth import Gate, HostNames
from ennio.http.browser import Browsers
from ennio.http.dashboard_files import DashboardFiles
from ennio.http.envelope import LAST_KNOWN, add_error_map
from ennio.http.operation import ApiContext, Resource
from ennio.http.port import second_ports
from ennio.http.response_cache import ResponseCache
from ennio.http.routes import CHAOS, ROUTES
from ennio.http.sse import SseConnections
from ennio.http.terminal_rooms import TerminalRooms
from ennio.http.websocket import WebSocketConnections
from ennio.model.clock import rfc3339


def create_app(
    orchestrator: Orchestrator,
    token: str,
    sse_connections: SseConnections | None = None,
    dashboard: DashboardFiles | None = None,
    web_sockets: WebSocketConnections | None = None,
) -> falcon.App[Any, Any]:
    """The whole API over an orchestrator, and the dashboard where one is given;
    ``sse_connections`` and ``web_sockets`` let the server end its event streams and what was
    upgraded.
    """
    config = orchestrator.config
    browsers = Browsers(token, config.port, orchestrator.clock)
    gate = Gate(
        token,
        HostNames(config.host, config.public_url),
        config.cors_origins,
        browsers,
        orchestrator.sessions.verify_hook_token,
        dashboard,
        [config.port, *second_ports(config)] if second_ports(config) else (),
    )
    middleware: list[Any] = [gate, _LastKnown(orchestrator)]
    app = falcon.App(middleware=middleware)
    app.req_options.strip_url_path_trailing_slash = True
    add_error_map(app)
    context = ApiContext(
        orchestrator,
        browsers,
        sse_connections or SseConnections(),
        TerminalRooms(orchestrator, web_sockets or WebSocketConnections()),
        ResponseCache(orchestrator.data_version, orchestrator.clock.now),
    )
    made: dict[type[Resource], Resource] = {}
    for path, kind, suffix in (*ROUTES, *(CHAOS if os.environ.get("ENNIO_CHAOS") == "1" else ())):
        resource = made.setdefault(kind, kind(context))
        _add_head(resource, suffix)
        app.add_route(path, resource, suffix=suffix or None)
    return app


class _LastKnown:
    """Whoever only looks is shown what was last known, while the database cannot be asked."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._last_known = orchestrator.last_known

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Before it is answered."""
        if req.method in {"GET", "HEAD"}:
            req.context.looking = self._last_known()
            req.context.looking.__enter__()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """However it was answered."""
        looking = getattr(req.context, "looking", None)
        if looking is None:
            return
        if looking.since is not None:
            resp.set_header(LAST_KNOWN, rfc3339(looking.since))
        looking.__exit__(None, None, None)


def _add_head(resource: Resource, suffix: str) -> None:
    """HEAD is answered like GET; Falcon leaves the body out."""
    ending = f"_{suffix}" if suffix else ""
    get = getattr(resource, f"on_get{ending}", None)
    if get is not None:
        setattr(resource, f"on_head{ending}", get)
