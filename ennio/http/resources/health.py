"""The supervisor as whoever watches over it sees it: whether it can do
its work, and its numbers.
"""

from __future__ import annotations

import falcon

from ennio.http.envelope import answer, refuse
from ennio.http.openapi.schemas import TEXT
from ennio.http.operation import Operation, Resource, described
from ennio.policy.degradation import Readiness, told


class HealthResource(Resource):
    """Asked by machines; that it answers at all is said by ``/health``, which is open."""

    @described(
        Operation(
            "Whether it can do its work, and what is not well; 503 while it cannot.", Readiness
        )
    )
    def on_get_ready(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Tell it; one that is not ready is an answer of 503 with the reasons."""
        found = self._orchestrator.supervisor.readiness()
        if found.ready:
            answer(resp, found)
        else:
            refuse(resp, 503, f"not ready: {told(found.degraded)}", "Unreachable")

    @described(Operation("The numbers, for Prometheus.", TEXT, media="text/plain"))
    def on_get_metrics(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Send them in the format that the scraper asks for."""
        from ennio.http.exposition import exposition  # noqa: PLC0415 - whoever is not scraped does not load it

        numbers = self._orchestrator.supervisor.metrics()
        resp.content_type, resp.data = exposition(numbers, req.get_header("Accept") or "")
