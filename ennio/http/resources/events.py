"""The event log: page by page, and as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

import falcon

from ennio.actors.orchestrator import EventApi
from ennio.http.openapi.schemas import TEXT
from ennio.http.operation import Operation, Resource, described, operation
from ennio.http.requests import read_query
from ennio.http.response_cache import cached
from ennio.http.selection import EventKinds, EventSelection
from ennio.http.sse import connection_of, stream
from ennio.model.errors import Invalid, NotFound
from ennio.model.events import Event
from ennio.model.request_fields import NumberField

SEQ = NumberField(0, 2**53)
PAGE = NumberField(1, 1000)
Chosen = TypeVar("Chosen", bound=EventSelection)
Page = tuple[Sequence[Event], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsQuery(EventSelection):
    """A page of the chosen ones, after one seq or before another."""

    after: Annotated[int | None, SEQ] = None
    before: Annotated[int | None, SEQ] = None
    limit: Annotated[int, PAGE] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEventsQuery(EventKinds):
    """The same of one session."""

    after: Annotated[int | None, SEQ] = None
    before: Annotated[int | None, SEQ] = None
    limit: Annotated[int, PAGE] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamQuery(EventSelection):
    """The chosen ones behind a seq."""

    after: Annotated[int | None, SEQ] = None


class _ChoosingResource(Resource):
    def _chosen(self, query: Chosen) -> Chosen:
        """The selection, with the project by its id. Raises NotFound for a session that is not
        there, and for a project of which no event tells either.
        """
        if query.session_id is not None:
            self._known(query.session_id)
        if query.project_id is None:
            return query
        try:
            return replace(query, project_id=self._orchestrator.projects.known(query.project_id))
        except NotFound:
            of_project = EventSelection(project_id=query.project_id)
            if not self._orchestrator.events.before(None, limit=1, **of_project.filters()):
                raise
            return query


class EventsResource(_ChoosingResource):
    """All events."""

    @cached
    @operation("The event log, page by page.", Event, query=EventsQuery, page=True)
    def on_get(self, query: EventsQuery) -> Page:
        """One page: ascending after a seq, else newest first; ``next``
        leads to the page behind it.
        """
        chosen = self._chosen(query)
        return page_of(self._orchestrator.events, chosen, chosen)


def page_of(log: EventApi, query: EventsQuery | SessionEventsQuery, chosen: EventSelection) -> Page:
    """One page of the chosen events and what leads to the next; None on the last one.

    It is the value for ``after``, or for ``before``, that gives the next
    page in the same direction.
    """
    if query.after is not None and query.before is not None:
        raise Invalid("after, before: give one of them; each stands for a direction")
    if query.after is not None:
        events = log.after(query.after, limit=query.limit + 1, **chosen.filters())
    else:
        events = log.before(query.before, limit=query.limit + 1, **chosen.filters())
    page = events[: query.limit]
    return page, page[-1].seq if len(events) > query.limit else None


class EventStreamResource(_ChoosingResource):
    """Server-Sent Events, resumable by ``Last-Event-ID``."""

    @described(
        Operation(
            "The event log as it grows: id is the seq, data the event.",
            TEXT,
            query=StreamQuery,
            media="text/event-stream",
        )
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Send what comes after ``Last-Event-ID``, else after ``after``, else from now on."""
        query = self._chosen(read_query(req, StreamQuery))
        open_streams = self._context.sse_connections
        after = self._cursor(req, query)
        if open_streams.full:
            words = (
                f"{open_streams.open} event streams are open already, or the server is stopping; "
                "try again"
            )
            raise falcon.HTTPServiceUnavailable(description=words, retry_after=2)
        resp.content_type = "text/event-stream; charset=utf-8"
        resp.set_header("X-Accel-Buffering", "no")
        if req.method != "HEAD":
            resp.stream = stream(
                self._orchestrator, open_streams, after, query, connection_of(req.env)
            )

    def _cursor(self, req: falcon.Request, query: StreamQuery) -> int:
        last = req.get_header("Last-Event-ID")
        if last is not None:
            return SEQ.from_text("Last-Event-ID", last)
        return self._orchestrator.events.last_seq() if query.after is None else query.after
