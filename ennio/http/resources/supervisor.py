"""The supervisor itself: how it is, how it is configured, and its end."""

from __future__ import annotations

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.config.secrets import masked
from ennio.http.envelope import answer
from ennio.http.requests import read_body, read_query


class SupervisorResource:
    """The process that answers."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """How its actors and pollers are."""
        read_query(req, {})
        answer(resp, self._orchestrator.supervisor.status())

    def on_get_config(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The configuration it runs with, secrets masked."""
        read_query(req, {})
        answer(resp, masked(self._orchestrator.config))

    def on_post_shutdown(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Stop it; the agents keep running."""
        read_body(req, {})
        self._orchestrator.supervisor.shutdown()
        answer(resp, "stopping")
