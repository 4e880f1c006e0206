"""What was told to people, and through which channels."""

from __future__ import annotations

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.requests import read_query
from ennio.http.resources.session import LIMIT


class NotificationsResource:
    """The notifications of the house."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the latest."""
        answer(resp, self._orchestrator.supervisor.notifications(read_query(req, LIMIT)["limit"]))
