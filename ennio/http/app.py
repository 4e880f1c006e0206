"""The WSGI application: every route in one table, one gate before them, one error map behind them."""

from __future__ import annotations

from typing import Any

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.auth import Gate, HostNames
from ennio.http.browser import Browsers
from ennio.http.errors import add_error_map
from ennio.http.resources import chaos
from ennio.http.resources.cleanup import CleanupResource
from ennio.http.resources.description import OpenApiResource
from ennio.http.resources.event_stream import EventStreamResource
from ennio.http.resources.events import EventsResource
from ennio.http.resources.health import HealthResource
from ennio.http.resources.issues import IssuesResource
from ennio.http.resources.login import LoginResource
from ennio.http.resources.notifications import NotificationsResource
from ennio.http.resources.preserved import PreservedResource
from ennio.http.resources.projects import ProjectsResource
from ennio.http.resources.pull import PullResource
from ennio.http.resources.pulls import PullsResource
from ennio.http.resources.queue import QueueResource
from ennio.http.resources.session import SessionResource
from ennio.http.resources.sessions import SessionsResource
from ennio.http.resources.supervisor import SupervisorResource
from ennio.http.resources.webhooks import WebhooksResource
from ennio.http.response_cache import ResponseCache
from ennio.http.sse import SseConnections

API = "/api/v1"
Route = tuple[str, object, str | None]


def create_app(orchestrator: Orchestrator, token: str, sse_connections: SseConnections | None = None) -> falcon.App[Any, Any]:
    """The whole API over a house; ``sse_connections`` lets the server end its event streams."""
    config = orchestrator.config
    browsers = Browsers(token, config.port, orchestrator.clock)
    gate = Gate(token, HostNames(config.host), config.cors_origins, browsers, orchestrator.sessions.verify_hook_token)
    app = falcon.App(middleware=[gate])
    app.req_options.strip_url_path_trailing_slash = True
    add_error_map(app)
    known = routes(orchestrator, browsers, sse_connections or SseConnections())
    for path, resource, suffix in [*known, *chaos.routes(orchestrator, API)]:
        _add_head(resource, suffix)
        app.add_route(path, resource, suffix=suffix)
    return app


def routes(orchestrator: Orchestrator, browsers: Browsers, sse_connections: SseConnections) -> list[Route]:
    """Path, resource, and which of its methods: those named with this suffix."""
    login, supervisor, cache = LoginResource(browsers), SupervisorResource(orchestrator), ResponseCache(orchestrator.data_version)
    open_to_all: list[Route] = [(f"{API}/health", HealthResource(), None), ("/auth", login, "visit")]
    return [
        *open_to_all,
        (f"{API}/auth/code", login, None),
        (f"{API}/webhooks/github", WebhooksResource(orchestrator), "github"),
        (f"{API}/openapi.json", OpenApiResource(), None),
        (f"{API}/status", supervisor, None),
        (f"{API}/config", supervisor, "config"),
        (f"{API}/shutdown", supervisor, "shutdown"),
        (f"{API}/cleanup", CleanupResource(orchestrator), None),
        (f"{API}/preserved", PreservedResource(orchestrator), None),
        (f"{API}/preserved/{{item_id}}", PreservedResource(orchestrator), "one"),
        (f"{API}/preserved/{{item_id}}/restore", PreservedResource(orchestrator), "restore"),
        (f"{API}/notifications", NotificationsResource(orchestrator), None),
        (f"{API}/events", EventsResource(orchestrator), None),
        (f"{API}/events/stream", EventStreamResource(orchestrator, sse_connections), None),
        *_session_routes(orchestrator, cache),
        *_forge_routes(orchestrator, cache),
        *_queue_routes(orchestrator, cache),
    ]


def _session_routes(orchestrator: Orchestrator, cache: ResponseCache) -> list[Route]:
    one = SessionResource(orchestrator, cache)
    path = f"{API}/sessions/{{session_id}}"
    orders = ("look", "send", "answer", "restore", "interrupt", "cleanup")
    doings = (*orders, "output", "attach", "messages", "evidence", "reactions", "events")
    return [
        (f"{API}/sessions", SessionsResource(orchestrator, cache), None),
        (path, one, None),
        *((f"{path}/{doing}", one, doing) for doing in doings),
    ]


def _forge_routes(orchestrator: Orchestrator, cache: ResponseCache) -> list[Route]:
    projects, pulls, pull = ProjectsResource(orchestrator, cache), PullsResource(orchestrator), PullResource(orchestrator)
    project = f"{API}/projects/{{project_id}}"
    path = f"{project}/pulls/{{number}}"
    doings = ("files", "diff", "approve", "request-changes", "comment", "merge", "close", "ready", "rerun", "reply", "resolve")
    return [
        (f"{API}/projects", projects, None),
        (project, projects, "one"),
        (f"{project}/issues", IssuesResource(orchestrator), None),
        (f"{project}/pulls", pulls, "project"),
        (f"{API}/pulls", pulls, None),
        (path, pull, None),
        *((f"{path}/{doing}", pull, doing.replace("-", "_")) for doing in doings),
    ]


def _queue_routes(orchestrator: Orchestrator, cache: ResponseCache) -> list[Route]:
    queue = QueueResource(orchestrator, cache)
    path = f"{API}/queue/{{session_id}}"
    return [
        (f"{API}/queue", queue, None),
        (path, queue, "waiting"),
        *((f"{path}/{doing}", queue, doing) for doing in ("hold", "release", "move", "priority")),
    ]


def _add_head(resource: object, suffix: str | None) -> None:
    """HEAD is answered like GET; Falcon leaves the body out."""
    ending = f"_{suffix}" if suffix else ""
    get = getattr(resource, f"on_get{ending}", None)
    if get is not None:
        setattr(resource, f"on_head{ending}", get)
