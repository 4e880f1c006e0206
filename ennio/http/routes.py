"""Every path of the API, the resource that answers there, and which of its methods:
those named with the suffix.
"""

from __future__ import annotations

from ennio.http.operation import Resource
from ennio.http.resources.answers import AnswersResource
from ennio.http.resources.budgets import BudgetsResource
from ennio.http.resources.changes import ChangesResource
from ennio.http.resources.chaos import ChaosResource
from ennio.http.resources.conflicts import ConflictsResource
from ennio.http.resources.costs import CostsResource
from ennio.http.resources.events import EventsResource, EventStreamResource
from ennio.http.resources.health import HealthResource
from ennio.http.resources.issues import IssuesResource
from ennio.http.resources.login import LoginResource
from ennio.http.resources.nodes import NodesResource
from ennio.http.resources.notices import NoticesResource
from ennio.http.resources.packs import PacksResource
from ennio.http.resources.projects import ProjectsResource
from ennio.http.resources.pulls import PullResource, PullsResource
from ennio.http.resources.queue import QueueResource
from ennio.http.resources.sessions import SessionResource, SessionsResource
from ennio.http.resources.supervisor import SupervisorResource, WebhooksResource
from ennio.http.resources.terminals import TerminalResource
from ennio.http.resources.workspaces import CleanupResource, PreservedResource

API = "/api/v1"
Route = tuple[str, type[Resource], str]

_SESSION = f"{API}/sessions/{{session_id}}"
_ORDERS = ("look", "send", "answer", "restore", "resume", "interrupt", "seen", "cleanup")
_LOOKS = ("output", "attach", "messages", "evidence", "phases", "reactions", "events")
_PROJECT = f"{API}/projects/{{project_id}}"
_PULL = f"{_PROJECT}/pulls/{{number}}"
_OF_NODES = ("connect", "disconnect", "logs")
_REVIEWS = (
    "files",
    "diff",
    "approve",
    "request-changes",
    "comment",
    "reply",
    "resolve",
    "merge",
    "close",
    "ready",
    "rerun",
    "nudge",
    "leave-queue",
)
_WAITING = f"{API}/queue/{{session_id}}"

ROUTES: tuple[Route, ...] = (
    (f"{API}/health", SupervisorResource, "health"),
    (f"{API}/health/ready", HealthResource, "ready"),
    ("/metrics", HealthResource, "metrics"),
    (f"{API}/metrics", HealthResource, "metrics"),
    (f"{API}/webhooks/github", WebhooksResource, "github"),
    (f"{API}/openapi.json", SupervisorResource, "openapi"),
    (f"{API}/status", SupervisorResource, ""),
    (f"{API}/debug", SupervisorResource, "debug"),
    (f"{API}/disk", SupervisorResource, "disk"),
    (f"{API}/config", SupervisorResource, "config"),
    (f"{API}/nodes", NodesResource, ""),
    (f"{API}/nodes/{{node}}", NodesResource, "one"),
    *((f"{API}/nodes/{{node}}/{what}", NodesResource, what) for what in _OF_NODES),
    (f"{API}/shutdown", SupervisorResource, "shutdown"),
    (f"{API}/notifications", NoticesResource, ""),
    (f"{API}/notifiers", NoticesResource, "channels"),
    (f"{API}/notifiers/{{name}}/test", NoticesResource, "test"),
    (f"{API}/answers", AnswersResource, ""),
    (f"{API}/auth/code", LoginResource, ""),
    ("/auth", LoginResource, "visit"),
    (f"{API}/events", EventsResource, ""),
    (f"{API}/events/stream", EventStreamResource, ""),
    (f"{API}/sessions", SessionsResource, ""),
    (f"{API}/verbs", SessionsResource, "verbs"),
    (_SESSION, SessionResource, ""),
    *((f"{_SESSION}/{what}", SessionResource, what) for what in (*_ORDERS, *_LOOKS)),
    (f"{_SESSION}/diff", ChangesResource, "diff"),
    (f"{_SESSION}/diff/file", ChangesResource, "diff_file"),
    (f"{_SESSION}/checks/{{check}}/log", ChangesResource, "check_log"),
    (f"{_SESSION}/review", ChangesResource, "review"),
    (f"{_SESSION}/terminal", TerminalResource, ""),
    (f"{_SESSION}/screen", TerminalResource, "screen"),
    (f"{_SESSION}/control", TerminalResource, "control"),
    (f"{_SESSION}/pack", PacksResource, ""),
    (f"{_SESSION}/pack/file", PacksResource, "file"),
    (f"{_SESSION}/metrics", CostsResource, "metrics"),
    (f"{API}/costs", CostsResource, ""),
    (f"{API}/costs/calibration", CostsResource, "calibration"),
    (f"{API}/costs/trend", CostsResource, "trend"),
    (f"{API}/accounts", CostsResource, "accounts"),
    (f"{API}/spend", CostsResource, "spend"),
    (f"{API}/budgets", BudgetsResource, ""),
    (f"{API}/budgets/check", BudgetsResource, "check"),
    (f"{API}/budgets/{{name}}", BudgetsResource, "one"),
    (f"{API}/budgets/{{name}}/raise", BudgetsResource, "raise"),
    (f"{_SESSION}/go-on", BudgetsResource, "go_on"),
    (f"{API}/projects", ProjectsResource, ""),
    (_PROJECT, ProjectsResource, "one"),
    (f"{_PROJECT}/issues", IssuesResource, ""),
    (f"{_PROJECT}/pulls", PullsResource, "project"),
    (f"{API}/pulls", PullsResource, ""),
    (f"{API}/conflicts", ConflictsResource, ""),
    (_PULL, PullResource, ""),
    *((f"{_PULL}/{what}", PullResource, what.replace("-", "_")) for what in _REVIEWS),
    (f"{API}/queue", QueueResource, ""),
    (_WAITING, QueueResource, "waiting"),
    *(
        (f"{_WAITING}/{what}", QueueResource, what)
        for what in ("hold", "release", "move", "priority")
    ),
    (f"{API}/cleanup", CleanupResource, ""),
    (f"{API}/preserved", PreservedResource, ""),
    (f"{API}/preserved/{{item_id}}", PreservedResource, "one"),
    (f"{API}/preserved/{{item_id}}/restore", PreservedResource, "restore"),
)
CHAOS: tuple[Route, ...] = ((f"{API}/chaos/crash", ChaosResource, "crash"),)
"""There only where faults may be ordered, and not documented."""
