"""The WSGI application: every route in one table, one gate before them, one error map behind them."""

from __future__ import annotations

from typing import Any

import falcon

from ennio.actors.house import House
from ennio.http.answers import Answers
from ennio.http.auth import Gate, Hosts
from ennio.http.browser import Browsers
from ennio.http.errors import add_error_map
from ennio.http.resources import rehearsal
from ennio.http.resources.cleanup import Cleanup
from ennio.http.resources.description import Description
from ennio.http.resources.event_stream import EventStream
from ennio.http.resources.events import Events
from ennio.http.resources.health import Health
from ennio.http.resources.issues import Issues
from ennio.http.resources.login import Login
from ennio.http.resources.notifications import Notifications
from ennio.http.resources.preserved import PreservedWork
from ennio.http.resources.projects import Projects
from ennio.http.resources.pull import Pull
from ennio.http.resources.pulls import Pulls
from ennio.http.resources.queue import Queue
from ennio.http.resources.session import OneSession
from ennio.http.resources.sessions import Sessions
from ennio.http.resources.supervisor import Supervisor
from ennio.http.resources.webhooks import Webhooks
from ennio.http.stream import Listeners

API = "/api/v1"
Route = tuple[str, object, str | None]


def create_app(house: House, token: str, listeners: Listeners | None = None) -> falcon.App[Any, Any]:
    """The whole API over a house; ``listeners`` lets the server end its event streams."""
    config = house.config
    browsers = Browsers(token, config.port, house.clock)
    app = falcon.App(middleware=[Gate(token, Hosts(config.host), config.cors_origins, browsers, house.rings)])
    app.req_options.strip_url_path_trailing_slash = True
    add_error_map(app)
    for path, resource, suffix in [*routes(house, browsers, listeners or Listeners()), *rehearsal.routes(house, API)]:
        _add_head(resource, suffix)
        app.add_route(path, resource, suffix=suffix)
    return app


def routes(house: House, browsers: Browsers, listeners: Listeners) -> list[Route]:
    """Path, resource, and which of its methods: those named with this suffix."""
    login, supervisor, answers = Login(browsers), Supervisor(house), Answers(house.store)
    open_to_all: list[Route] = [(f"{API}/health", Health(), None), ("/auth", login, "visit")]
    return [
        *open_to_all,
        (f"{API}/auth/code", login, None),
        (f"{API}/webhooks/github", Webhooks(house), "github"),
        (f"{API}/openapi.json", Description(), None),
        (f"{API}/status", supervisor, None),
        (f"{API}/config", supervisor, "config"),
        (f"{API}/shutdown", supervisor, "shutdown"),
        (f"{API}/cleanup", Cleanup(house), None),
        (f"{API}/preserved", PreservedWork(house), None),
        (f"{API}/preserved/{{item_id}}", PreservedWork(house), "one"),
        (f"{API}/preserved/{{item_id}}/restore", PreservedWork(house), "restore"),
        (f"{API}/notifications", Notifications(house), None),
        (f"{API}/events", Events(house), None),
        (f"{API}/events/stream", EventStream(house, listeners), None),
        *_session_routes(house, answers),
        *_forge_routes(house, answers),
        *_queue_routes(house, answers),
    ]


def _session_routes(house: House, answers: Answers) -> list[Route]:
    one = OneSession(house, answers)
    path = f"{API}/sessions/{{session_id}}"
    orders = ("look", "send", "answer", "restore", "interrupt", "cleanup")
    doings = (*orders, "output", "attach", "messages", "evidence", "reactions", "events")
    return [(f"{API}/sessions", Sessions(house, answers), None), (path, one, None), *((f"{path}/{doing}", one, doing) for doing in doings)]


def _forge_routes(house: House, answers: Answers) -> list[Route]:
    projects, pulls, pull = Projects(house, answers), Pulls(house), Pull(house)
    project = f"{API}/projects/{{project_id}}"
    path = f"{project}/pulls/{{number}}"
    doings = ("files", "diff", "approve", "request-changes", "comment", "merge", "close", "ready", "rerun", "reply", "resolve")
    return [
        (f"{API}/projects", projects, None),
        (project, projects, "one"),
        (f"{project}/issues", Issues(house), None),
        (f"{project}/pulls", pulls, "project"),
        (f"{API}/pulls", pulls, None),
        (path, pull, None),
        *((f"{path}/{doing}", pull, doing.replace("-", "_")) for doing in doings),
    ]


def _queue_routes(house: House, answers: Answers) -> list[Route]:
    queue = Queue(house, answers)
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
