"""What forges send when something happened; the signature is their token."""

from __future__ import annotations

import falcon

from ennio.actors.house import House
from ennio.http.envelope import answer
from ennio.http.requests import read_raw
from ennio.model.errors import Invalid


class Webhooks:
    """Deliveries of GitHub's."""

    def __init__(self, house: House) -> None:
        self._house = house

    def on_post_github(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Look again at what it is about."""
        event, delivery = req.get_header("X-GitHub-Event"), req.get_header("X-GitHub-Delivery")
        if not event or not delivery or len(delivery) > 100:
            raise Invalid("X-GitHub-Event and X-GitHub-Delivery: one of these headers is missing; this is not what GitHub sends")
        signature = req.get_header("X-Hub-Signature-256")
        answer(resp, self._house.webhook(event, delivery, signature, read_raw(req)))
