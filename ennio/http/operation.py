"""What one operation of the API is, said at its responder: what it takes, what it
answers, in which words.

    @operation("Send a message.", word("sent"), body=SendBody, once=True)
    def on_post_send(self, session_id: str, body: SendBody, once: IdempotentRequest | None) -> str:
    ...

From it a request is read, its answer put into the envelope, and the OpenAPI document made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.browser import Browsers
from ennio.http.envelope import answer
from ennio.http.idempotency import answer_once
from ennio.http.requests import Nothing, read_body, read_query
from ennio.http.response_cache import ResponseCache
from ennio.http.sse import SseConnections
from ennio.http.terminal_rooms import TerminalRooms
from ennio.model.request_fields import identifier

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What the resources stand on."""

    orchestrator: Orchestrator
    browsers: Browsers
    sse_connections: SseConnections
    rooms: TerminalRooms
    cache: ResponseCache


@dataclass(frozen=True, slots=True)
class Timed:
    """What is answered, and until when at most it may be given again: then the hour changes it."""

    data: Any
    until: datetime | None


class Resource:
    """The base of all resources."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._orchestrator = context.orchestrator
        self.cache = context.cache

    def _known(self, session_id: str) -> str:
        """The id of a session that is there. Raises Invalid, NotFound."""
        return self._orchestrator.sessions.need(identifier("session id", session_id)).id

    def _configured(self, project_id: str) -> str:
        """The id of a configured project. Raises Invalid, NotFound naming those there are."""
        return self._orchestrator.projects.need(identifier("project_id", project_id)).id


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``answer`` is the annotation of its data, or a schema.

    ``page``: a list with what leads to the next page beside it. ``media``: its answer stands in no
    envelope. ``once``: it may be sent again under a key. ``is_open``: it needs no token.
    ``tagged``: its answer has an ``ETag``.
    """

    summary: str
    answer: Any
    query: type[Any] | None = None
    body: type[Any] | None = None
    once: bool = False
    page: bool = False
    media: str | None = None
    is_open: bool = False
    tagged: bool = False


def word(text: str) -> dict[str, Any]:
    """The schema of exactly this word."""
    return {"const": text}


def described(operation: Operation) -> Callable[[F], F]:
    """Say what a responder does that reads and answers by itself."""

    def with_words(responder: F) -> F:
        responder.operation = operation  # type: ignore[attr-defined]
        return responder

    return with_words


def operation(
    summary: str,
    answer: Any,
    *,
    query: type[Any] | None = None,
    body: type[Any] | None = None,
    once: bool = False,
    page: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a responder of a method: it is given what the request carries, and
    what it returns is answered.
    """

    def as_responder(act: Callable[..., Any]) -> Callable[..., Any]:
        changes = act.__name__.startswith("on_post")
        taken = body if body is not None or not changes else Nothing

        @wraps(act)
        def responder(
            self: Resource, req: falcon.Request, resp: falcon.Response, **place: Any
        ) -> None:
            given = {**place, "query": read_query(req, query or Nothing)}
            if changes:
                given["body"] = read_body(req, taken or Nothing)
            carried = {
                name: value for name, value in given.items() if not isinstance(value, Nothing)
            }
            if once:
                answer_once(
                    self._orchestrator,
                    req,
                    resp,
                    given["body"],
                    lambda request: act(self, **carried, once=request),
                )
            else:
                _answer(resp, act(self, **carried), page)

        return described(Operation(summary, answer, query, taken, once, page))(responder)

    return as_responder


def _answer(resp: falcon.Response, data: Any, page: bool) -> None:
    if isinstance(data, Timed):
        resp.context.until, data = data.until, data.data
    if page:
        items, following = data
        answer(resp, items, next=following)
    else:
        answer(resp, data)
