"""The API's description of itself."""

from __future__ import annotations

import falcon

from ennio.http.envelope import encode
from ennio.http.openapi import document


class OpenApiResource:
    """The OpenAPI document; the one answer that stands in no envelope."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Send it as it is."""
        resp.content_type = falcon.MEDIA_JSON
        resp.data = encode(document())
