"""What forges send when something happened; the signature is their token."""

from __future__ import annotations

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.requests import read_raw
from ennio.model.errors import Invalid


class WebhooksResource:
    """Deliveries of GitHub's."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_post_github(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Look again at what it is about."""
        event, delivery = req.get_header("X-GitHub-Event"), req.get_header("X-GitHub-Delivery")
        if not event or not delivery or len(delivery) > 100:
            raise Invalid("X-GitHub-Event and X-GitHub-Delivery: one of these headers is missing; this is not what GitHub sends")
        signature = req.get_header("X-Hub-Signature-256")
        answer(resp, self._orchestrator.supervisor.webhook(event, delivery, signature, read_raw(req)))
