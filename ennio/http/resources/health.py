"""Whether the server answers at all; open to everybody."""

from __future__ import annotations

import falcon

from ennio.http.envelope import answer


class HealthResource:
    """For load balancers, and for ``ennio start`` waiting."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Say ok."""
        answer(resp, "ok")
