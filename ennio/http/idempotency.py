"""``Idempotency-Key``: a request that is sent again under the same key gets the
answer the first one got.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer, give
from ennio.model.codec import to_json
from ennio.model.errors import Invalid
from ennio.model.idempotency import IdempotentRequest

HEADER = "Idempotency-Key"
PATTERN = "^[!-~]{1,255}$"
_KEY = re.compile(PATTERN.removesuffix("$") + r"\Z")


def key_of(req: falcon.Request, body: Any) -> IdempotentRequest | None:
    """The request with its key, or None for one without. Raises Invalid for a key that is none."""
    key = req.get_header(HEADER)
    if key is None:
        return None
    if not _KEY.match(key):
        raise Invalid(
            f"{HEADER}: must be 1 to 255 printable ASCII characters without blanks; a UUID is a "
            "good one"
        )
    return IdempotentRequest.of(key, req.method, req.path, to_json(body))


def answer_once(
    orchestrator: Orchestrator,
    req: falcon.Request,
    resp: falcon.Response,
    body: Any,
    act: Callable[..., Any],
) -> None:
    """Answer what ``act`` gives for the request, or what it gave the first time.

    ``act`` is told the key, and is the one that writes it down together with what it does.
    """
    request = key_of(req, body)
    if request is None:
        answer(resp, act(None))
        return
    first = orchestrator.requests.answered(request)
    if first is not None:
        give(resp, first.encode())
        return
    answer(resp, act(request))
    orchestrator.requests.keep(request, bytes(resp.data or b"").decode())
