"""What every answer is wrapped in: ``{"data": ...}``, or ``{"error": text, "code": status}``."""

from __future__ import annotations

import json
from typing import Any

import falcon

from ennio.model.codec import shown

KIND_HEADER = "Ennio-Error"
"""Names the class of an error, since ``Conflict`` and ``Refused`` share a status."""


def encode(document: Any) -> bytes:
    """Compact UTF-8 JSON; text that is no Unicode (half a surrogate pair) becomes ``?``."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def answer(resp: falcon.Response, data: Any, **beside: Any) -> None:
    """Answer 200 with the data as others see it, and with what stands beside it in the envelope."""
    give(resp, encode({"data": shown(data), **beside}))


def give(resp: falcon.Response, body: bytes) -> None:
    """Answer 200 with what is in its envelope already."""
    resp.content_type = falcon.MEDIA_JSON
    resp.data = body


def refuse(resp: falcon.Response, status: int, text: str, kind: str | None = None) -> None:
    """Answer with an error: what happened, and what to do about it."""
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.stream = None
    resp.data = encode({"error": text, "code": status})
    if kind is not None:
        resp.set_header(KIND_HEADER, kind)
