"""What every answer is wrapped in: ``{"data": ...}``, or ``{"error": text, "code": status}``.

Here is also the map from what went wrong to what the caller is told; one of the three walls of the
package. EnnioError carries its own status. An actor that does not answer in time is 504, one that
is gone 503, and so is a resource of the machine that has run out. What Falcon finds (no such route,
wrong method) keeps its status and headers. Anything else is a bug: it is logged with its traceback,
and the caller is told where to find it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import falcon
import pykka

from ennio.http.pages import page_of, show
from ennio.model.clock import rfc3339
from ennio.model.codec import shown
from ennio.model.errors import Away, EnnioError, NotFound, Unreachable, run_out

log = logging.getLogger(__name__)

Params = dict[str, Any]

LAST_KNOWN = "Ennio-Last-Known"
"""Since when the database is away, on an answer that shows what was last known before."""
KIND_HEADER = "Ennio-Error"
"""Names the class of an error, since ``Conflict`` and ``Refused`` share a status."""


def encode(document: Any) -> bytes:
    """Compact UTF-8 JSON; text that is no Unicode (half a surrogate pair) becomes ``?``."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


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


def add_error_map(app: falcon.App[Any, Any]) -> None:
    """Let the app answer every error in the envelope."""
    app.add_error_handler(Exception, _bug)
    app.add_error_handler(falcon.HTTPError, _http_error)
    app.add_error_handler(EnnioError, _ennio_error)
    app.add_error_handler(pykka.Timeout, _too_slow)
    app.add_error_handler(pykka.ActorDeadError, _dead)


def _ennio_error(
    req: falcon.Request, resp: falcon.Response, error: EnnioError, _params: Params
) -> None:
    looking = getattr(req.context, "looking", None)
    if isinstance(error, NotFound) and looking is not None and looking.since is not None:
        # what is not among the last known may be in the database all the same
        away = f"the database is away since {rfc3339(looking.since)}"
        error = Away(f"{error}, as far as is known: {away}")
    refuse(resp, error.http_status, str(error), type(error).__name__)
    if error.http_status == 401 and (page := page_of(req)) is not None:
        show(resp, page, error.http_status)
    if isinstance(error, Unreachable) and error.retry_after is not None:
        resp.set_header("Retry-After", str(error.retry_after))
    if error.http_status == 401:
        resp.set_header("WWW-Authenticate", 'Bearer realm="ennio"')


def _http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: Params
) -> None:
    describe = _WORDS.get(error.status_code)
    text = (
        describe(req, error) if describe else error.description or error.title or str(error.status)
    )
    if error.status_code == 404 and (page := page_of(req)) is not None:
        show(resp, page, 200)
        return
    refuse(resp, error.status_code, text)
    resp.set_headers(dict(error.headers or {}))


def _no_route(req: falcon.Request, _error: falcon.HTTPError) -> str:
    return f"there is no {req.path}; GET /api/v1/openapi.json lists what there is"


def _wrong_method(req: falcon.Request, error: falcon.HTTPError) -> str:
    allowed = dict(error.headers or {}).get("Allow", "")
    return f"{req.method} is not possible on {req.path}; it allows {allowed}"


_WORDS: dict[int, Callable[[falcon.Request, falcon.HTTPError], str]] = {
    404: _no_route,
    405: _wrong_method,
}


def _too_slow(
    req: falcon.Request, resp: falcon.Response, _error: pykka.Timeout, _params: Params
) -> None:
    refuse(
        resp,
        504,
        f"{req.method} {req.path} was not answered in time; it may still happen, look before "
        "repeating it",
        "TimedOut",
    )


def _dead(
    req: falcon.Request, resp: falcon.Response, _error: pykka.ActorDeadError, _params: Params
) -> None:
    refuse(
        resp,
        503,
        f"the actor that answers {req.method} {req.path} is being restarted; try again",
        "Unreachable",
    )
    resp.set_header("Retry-After", "1")


def _bug(req: falcon.Request, resp: falcon.Response, error: Exception, params: Params) -> None:
    exhausted = run_out(error)
    if exhausted is not None:
        _ennio_error(req, resp, exhausted, params)
        return
    log.error("request failed", exc_info=error, extra={"method": req.method, "path": req.path})
    refuse(
        resp, 500, f"{req.method} {req.path} met an error of Ennio itself; `ennio logs` shows it"
    )
