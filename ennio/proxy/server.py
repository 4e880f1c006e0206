"""One request and its answer: passed on as they are, counted on the way.

The body of an answer is passed on piece by piece as it comes. It is asked for uncompressed, so that
its usage can be read; nothing else of what the agent and its model say to each other is touched.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3
from gevent.pywsgi import WSGIHandler

from ennio.model.clock import Clock
from ennio.model.errors import EnnioError
from ennio.plugins.web import Transport
from ennio.proxy import journal
from ennio.proxy.apis import Measured, Protocol, UsageReader, protocol_of
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import Grant, granted
from ennio.proxy.headroom import HeadroomWatch
from ennio.proxy.request_head import request_headers

SILENCE = 1800.0
"""Seconds without a byte after which a model is given up; agents have limits of their own."""
LARGEST = 128 << 20
"""Bytes of a request; what agents send is their whole conversation."""
_PIECE = 64 << 10
_FIRST_PIECE = 512
"""Bytes that are taken at first: to take the framing off more keeps the agent waiting."""
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that concern one connection and not what is said on it (RFC 9110, 7.6.1)."""
_NOT_ASKED = _HOP_BY_HOP | {"host", "content-length", "accept-encoding"}
log = logging.getLogger(__name__)

Start = Callable[[str, list[tuple[str, str]]], Any]


class RawPathHandler(WSGIHandler):  # type: ignore[misc]
    """Keeps the path as it was asked for, which WSGI decodes, and reads headers with less ado."""

    def MessageClass(self, file: Any, *_: Any) -> Any:  # noqa: N802 - pywsgi's name
        """See the base class."""
        return request_headers(file)

    def log_request(self) -> None:
        """It is written down elsewhere."""

    def get_environ(self) -> dict[str, Any]:
        """See the base class."""
        environ: dict[str, Any] = super().get_environ()
        environ["ennio.path"] = self.path
        return environ


@dataclass(slots=True)
class Request:
    """A request that may pass."""

    id: str
    grant: Grant
    protocol: Protocol | None
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class MeteringProxy:
    """The WSGI application."""

    def __init__(
        self, directory: ProxyDirectory, clock: Clock, transport: Transport | None = None
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._headroom = HeadroomWatch(directory, clock)
        self._transport = transport or Transport(LARGEST, silence=SILENCE, connections=64)

    def __call__(self, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        """Pass a request on, or say why not."""
        token, _, path = environ["ennio.path"].lstrip("/").partition("/")
        grant = granted(self._directory, token)
        if grant is None:
            return _plain(start, HTTPStatus.NOT_FOUND, b"nobody was given this address\n")
        protocol = protocol_of(path)
        stopped = self._headroom.obstacle(token, grant.session_id) if protocol else None
        if protocol is not None and stopped is not None:
            return _error(start, HTTPStatus.PAYMENT_REQUIRED, protocol.refusal(stopped))
        body = _body(environ)
        if body is not None and len(body) > LARGEST:
            return _plain(start, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large\n")
        request = Request(
            uuid.uuid4().hex,
            grant,
            protocol,
            environ["REQUEST_METHOD"],
            f"{grant.upstream}/{path}",
            _asked(environ),
            body,
        )
        return self._passed(request, start)

    def _passed(self, request: Request, start: Start) -> Iterable[bytes]:
        self._note_begin(request)
        stack = ExitStack()
        try:
            answer = stack.enter_context(
                self._transport.opened(request.method, request.url, request.body, request.headers)
            )
        except EnnioError as error:
            stack.close()
            self._note_end(request, None, Measured(), whole=False)
            log.warning("not passed on", extra={"reason": str(error)})
            return _unreachable(start, request.protocol, str(error))
        headers = [
            (name, value)
            for name, value in answer.headers.items()
            if name.lower() not in _HOP_BY_HOP
        ]
        start(f"{answer.status} {answer.reason or ''}".rstrip(), headers)
        return self._pieces(request, answer, stack)

    def _pieces(
        self, request: Request, answer: urllib3.BaseHTTPResponse, stack: ExitStack
    ) -> Iterator[bytes]:
        kind = answer.headers.get("Content-Type", "")
        reader = UsageReader(stream=kind.startswith("text/event-stream"))
        whole = noted = False
        most = _FIRST_PIECE
        try:
            with stack:
                while piece := answer.read1(most, decode_content=False):
                    most = _PIECE
                    whole = answer.length_remaining == 0 or answer.closed
                    if whole:  # written down before the agent can know that it is over
                        reader.feed(piece)
                        noted = True
                        self._note_end(request, answer.status, reader.end(), whole=True)
                        yield piece
                        continue
                    try:  # the agent first: reading it takes longer than passing it on
                        yield piece
                    finally:
                        reader.feed(piece)
            whole = True
        except EnnioError as error:
            # the agent sees its connection end in the middle, as it would without us
            raise ConnectionAbortedError(str(error)) from error
        finally:
            if not noted:
                self._note_end(request, answer.status, reader.end(), whole=whole)

    def _note_begin(self, request: Request) -> None:
        if request.protocol is not None:
            begun = journal.Begun(
                request.id,
                request.grant.launch,
                request.protocol.name,
                self._clock.now().timestamp(),
                os.getpid(),
            )
            journal.note(self._directory, request.grant.session_id, begun)

    def _note_end(
        self, request: Request, status: int | None, measured: Measured, *, whole: bool
    ) -> None:
        if request.protocol is not None:
            ended = journal.Ended(
                request.id,
                request.grant.launch,
                request.protocol.name,
                self._clock.now().timestamp(),
                status,
                whole,
                measured,
            )
            journal.note(self._directory, request.grant.session_id, ended)
            self._headroom.count(request.grant.session_id, ended)


def _body(environ: Mapping[str, Any]) -> bytes | None:
    if not environ.get("CONTENT_LENGTH") and not environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    body: bytes = environ["wsgi.input"].read(LARGEST + 1)
    return body


def _asked(environ: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers of a request as its model is to see them."""
    found = {
        key.removeprefix("HTTP_").replace("_", "-").title(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["Content-Type"] = environ["CONTENT_TYPE"]
    kept = {name: value for name, value in found.items() if name.lower() not in _NOT_ASKED}
    return {**kept, "Accept-Encoding": "identity"}


def _unreachable(start: Start, protocol: Protocol | None, reason: str) -> Iterable[bytes]:
    if protocol is None:
        return _plain(start, HTTPStatus.BAD_GATEWAY, f"{reason}\n".encode())
    return _error(start, HTTPStatus.BAD_GATEWAY, protocol.unreachable(reason))


def _error(start: Start, status: HTTPStatus, body: bytes) -> Iterable[bytes]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if status is HTTPStatus.PAYMENT_REQUIRED:
        headers.append(("X-Should-Retry", "false"))
    start(f"{status.value} {status.phrase}", headers)
    return [body]


def _plain(start: Start, status: HTTPStatus, body: bytes) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start(f"{status.value} {status.phrase}", headers)
    return [body]
