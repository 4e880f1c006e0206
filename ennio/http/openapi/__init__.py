"""The API's description: OpenAPI 3.1, written by hand as data, request fields taken from those that read them."""

from __future__ import annotations

from ennio.http.openapi.document import document

__all__ = ["document"]
