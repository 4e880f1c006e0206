"""A Linear of the tests: real HTTP on loopback, every question judged and executed by the
published schema's extract.

An answer that the schema does not allow is an error too: the executor itself refuses it.
"""
# ruff: noqa: A006 - resolvers take arguments by the schema's own names

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync, parse, validate

from ennio.model.clock import ManualClock, rfc3339

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))
STATES = (
    ("Triage", "triage", 0),
    ("Backlog", "backlog", 0),
    ("Todo", "unstarted", 1),
    ("In Progress", "started", 2),
    ("In Review", "started", 3),
    ("Done", "completed", 4),
    ("Shipped", "completed", 5),
    ("Canceled", "canceled", 6),
)
KEY = "lin_api_canary0123456789"
PERIOD = 3600


@dataclass
class Row:
    """One issue as the stand-in keeps it."""

    identifier: str
    title: str
    description: str | None
    labels: tuple[str, ...] = ()
    parent: Row | None = None
    state: str = "Todo"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    branch: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    attachments: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]


@dataclass
class Linear:
    """The workspace, its quota, and what it was asked. ``before`` may answer in
    place of it: (status, text).
    """

    clock: ManualClock
    rows: list[Row] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    remaining: dict[str, int] = field(
        default_factory=lambda: {"requests": 2500, "complexity": 3_000_000}
    )
    limits: dict[str, int] = field(
        default_factory=lambda: {"requests": 2500, "complexity": 3_000_000}
    )
    before: Callable[[], tuple[int, str] | None] = lambda: None
    states: tuple[tuple[str, str, int], ...] = STATES
    url: str = ""

    def add(
        self,
        identifier: str,
        title: str = "Fix the login",
        description: str | None = "It breaks.",
        **more: Any,
    ) -> Row:
        """A new issue."""
        row = Row(identifier, title, description, **more)
        row.branch = (
            row.branch or f"ada/{identifier.lower()}-{re.sub(r'[^a-z0-9]+', '-', title.lower())}"
        )
        self.rows.append(row)
        return row

    def say(self, row: Row, body: str, **author: Any) -> None:
        """Somebody comments; each comment is later than the last."""
        self.clock.advance(1)
        row.comments.append(
            _comment(
                str(uuid.uuid4()),
                body,
                rfc3339(self.clock.now()),
                author or {"user": {"displayName": "ada"}},
            )
        )

    def names(self) -> list[str]:
        """The operations that were asked, in order."""
        return [name for name, _ in self.asked]

    # --- HTTP -------------------------------------------------------------------------------------

    def answer(self, headers: Mapping[str, str], raw: bytes) -> tuple[int, dict[str, str], str]:
        """One request."""
        question = json.loads(raw)
        self.asked.append(
            (re.findall(r"(?:query|mutation)\s+(\w+)", question["query"])[0], question["variables"])
        )
        instead = self.before()
        if instead is not None:
            return instead[0], self.quota(), instead[1]
        if headers.get("Authorization") not in (KEY, f"Bearer {KEY}"):
            return (
                401,
                {},
                _problem(
                    "Authentication required, not authenticated",
                    "AUTHENTICATION_ERROR",
                    "authentication error",
                ),
            )
        if min(self.remaining.values()) <= 0:
            return 400, self.quota(), _problem("Rate limit exceeded", "RATELIMITED", "ratelimited")
        self.remaining["requests"] -= 1
        self.remaining["complexity"] -= 100
        return self._execute(question)

    def quota(self) -> dict[str, str]:
        """What the headers say of the quota."""
        reset = int((self.clock.now().timestamp() + PERIOD) * 1000)
        found = {}
        for counter, left in self.remaining.items():
            parts = {"limit": self.limits[counter], "remaining": left, "reset": reset}
            found.update(
                {
                    f"X-RateLimit-{counter.title()}-{part.title()}": str(value)
                    for part, value in parts.items()
                }
            )
        return found

    def _execute(self, question: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
        faults = validate(SCHEMA, parse(question["query"]))
        if faults:
            self.invalid += [fault.message for fault in faults]
            return (
                400,
                self.quota(),
                _problem(faults[0].message, "GRAPHQL_VALIDATION_FAILED", "graphql error"),
            )
        done = graphql_sync(
            SCHEMA, question["query"], self._root(), variable_values=dict(question["variables"])
        )
        errors = [_told(error, self.invalid) for error in done.errors or ()]
        return (
            200,
            self.quota(),
            json.dumps({"data": done.data, **({"errors": errors} if errors else {})}),
        )

    # --- the schema's root ------------------------------------------------------------------------

    def _root(self) -> dict[str, Any]:
        return {
            "viewer": lambda _info: {"name": "Ada Lovelace", "displayName": "ada"},
            "issue": lambda _info, id: self._shown(self._row(id)),
            "issues": lambda _info, first=50, after=None, filter=None: page(
                [self._shown(r) for r in self._matching(filter)], first, after
            ),
            "issueUpdate": lambda _info, id, input: self._update(id, input),
            "commentCreate": lambda _info, input: self._comment(input),
            "attachmentCreate": lambda _info, input: self._attach(input),
        }

    def _row(self, issue_id: str) -> Row:
        for row in self.rows:
            if issue_id in (row.id, row.identifier):
                return row
        raise Trouble("Entity not found: Issue", "INPUT_ERROR", "invalid input")

    def _matching(self, wanted: Mapping[str, Any] | None) -> list[Row]:
        wanted = wanted or {}
        barred = wanted.get("state", {}).get("type", {}).get("nin", ())
        team = wanted.get("team", {}).get("key", {}).get("eq")
        return [
            row
            for row in self.rows
            if self._type(row) not in barred and team in (None, row.identifier.split("-")[0])
        ]

    def _type(self, row: Row) -> str:
        return next(kind for name, kind, _ in self.states if name == row.state)

    def _shown(self, row: Row) -> dict[str, Any]:
        states = [
            {"id": f"state-{name}", "name": name, "type": kind, "position": float(at)}
            for name, kind, at in self.states
        ]
        return {
            "id": row.id,
            "identifier": row.identifier,
            "title": row.title,
            "description": row.description,
            "url": f"https://linear.app/acme/issue/{row.identifier}/x",
            "branchName": row.branch,
            "state": next(state for state in states if state["name"] == row.state),
            "parent": self._shown(row.parent) if row.parent else None,
            "team": {"states": lambda _info, first=50: page(states, first, None)},
            "labels": lambda _info, first=50: page(
                [{"name": name} for name in row.labels], first, None
            ),
            # the newest come first, as at Linear
            "comments": lambda _info, first=50, after=None, filter=None: page(
                [
                    one
                    for one in reversed(row.comments)
                    if not filter or one["id"] == filter["id"]["eq"]
                ],
                first,
                after,
            ),
            "attachments": lambda _info, first=50, filter=None: page(
                [
                    one
                    for url, one in row.attachments.items()
                    if not filter or url == filter["url"]["eq"]
                ],
                first,
                None,
            ),
        }

    def _update(self, issue_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self._row(issue_id).state = given["stateId"].removeprefix("state-")
        return {"success": True}

    def _comment(self, given: Mapping[str, Any]) -> dict[str, Any]:
        row = self._row(given["issueId"])
        if uuid.UUID(given["id"]).version != 4 or any(
            one["id"] == given["id"] for other in self.rows for one in other.comments
        ):
            raise Trouble("id must be a UUID v4 that nobody has", "INPUT_ERROR", "invalid input")
        row.comments.append(
            _comment(
                given["id"],
                given["body"],
                rfc3339(self.clock.now()),
                {"botActor": {"name": "ennio"}},
            )
        )
        return {"success": True}

    def _attach(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._row(given["issueId"]).attachments[given["url"]] = {
            "title": given["title"],
            "subtitle": given.get("subtitle"),
        }
        return {"success": True}


class Trouble(Exception):
    """An error of the service, with the code it carries."""

    def __init__(self, message: str, code: str, kind: str) -> None:
        super().__init__(message)
        self.extensions = {"code": code, "type": kind, "userError": True}


def page(items: Iterable[dict[str, Any]], first: int, after: str | None) -> dict[str, Any]:
    """A part of a list, as connections have it."""
    everything = list(items)
    start = int(after) if after else 0
    end = min(start + min(first, 250), len(everything))
    return {
        "nodes": everything[start:end],
        "pageInfo": {"hasNextPage": end < len(everything), "endCursor": str(end)},
    }


def _comment(comment_id: str, body: str, at: str, author: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": comment_id,
        "body": body,
        "createdAt": at,
        "user": None,
        "botActor": None,
        "externalUser": None,
        **author,
    }


def _problem(message: str, code: str, kind: str) -> str:
    return json.dumps(
        {"errors": [{"message": message, "extensions": {"code": code, "type": kind}}]}
    )


def _told(error: GraphQLError, invalid: list[str]) -> dict[str, Any]:
    if not isinstance(error.original_error, Trouble):
        invalid.append(error.message)  # our question or our answer does not fit the schema
    return {
        "message": error.message,
        "path": error.path,
        "extensions": getattr(error.original_error, "extensions", {}),
    }


class Server:
    """The stand-in behind a port of its own."""

    def __init__(self, linear: Linear) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = linear.answer(dict(self.headers), raw)
                body = text.encode()
                self.send_response(status)
                for name, value in {
                    **headers,
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        linear.url = f"http://127.0.0.1:{self._server.server_address[1]}/graphql"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()
