"""The event log, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ennio.actors.orchestrator import EventApi, Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import NumberField, RequestField
from ennio.http.requests import read_query
from ennio.http.selection import SELECTION, EventSelection
from ennio.model.errors import Invalid

SEQ = NumberField(0, 2**53)
PAGE: Mapping[str, RequestField] = {"after": SEQ, "before": SEQ, "limit": NumberField(1, 1000, default=100), **SELECTION}


class EventsResource:
    """The events of the whole house."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """One page: ascending after a seq, else newest first; ``next`` leads to the page behind it."""
        query = read_query(req, PAGE)
        answer_page(resp, self._orchestrator.events, query, EventSelection.of_query(query))


def answer_page(resp: falcon.Response, log: EventApi, query: Mapping[str, Any], chosen: EventSelection) -> None:
    """Answer one page of the chosen events; ``next`` is None on the last one.

    It is the value for ``after``, or for ``before``, that gives the next page in the same direction.
    """
    after, before, limit = query["after"], query["before"], query["limit"]
    if after is not None and before is not None:
        raise Invalid("after, before: give one of them; each stands for a direction")
    if after is not None:
        events = log.after(after, limit=limit + 1, **chosen.filters())
    else:
        events = log.before(before, limit=limit + 1, **chosen.filters())
    page = events[:limit]
    answer(resp, [event.as_json() for event in page], next=page[-1].seq if len(events) > limit else None)
