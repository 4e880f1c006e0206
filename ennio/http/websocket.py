"""WebSockets over the WSGI server: the sans-I/O half of ``websockets`` on the socket of a request.

The request was read by the server; its head is put together again for the protocol, which answers
the handshake. From then on the socket is ours: whole frames go out under one lock, what comes in is
read by one greenlet. After the end the responder hands back ``ALREADY_HANDLED``, so that nothing
more is written to it.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import falcon
import gevent
from gevent.lock import RLock
from gevent.socket import wait_read
from gunicorn.workers.base_async import ALREADY_HANDLED
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ennio.http.open_connections import OpenConnections

MOST = 64 * 1024
"""Bytes of a message from a client."""
SEND_WITHIN = 20.0
"""Seconds that a client may take to receive anything at all."""
CLOSE_WITHIN = 2.0
TAKEN = "ennio.taken"
"""In the environment of a request whose socket is no longer the server's."""
_QUIET = logging.getLogger("ennio.http.websocket.frames")
_QUIET.setLevel(logging.WARNING)
_READ = 64 * 1024

GOING_AWAY, POLICY, TOO_BIG, FAILED, RESTART, BUSY = 1001, 1008, 1009, 1011, 1012, 1013
UNAUTHORIZED = 4401

Message = str | bytes


class WebSocketClosed(Exception):
    """The connection has ended; ``code`` is what the client gave as the reason, 1006 for none."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocketConnections(OpenConnections["WebSocket"]):
    """Those of this process."""

    def __init__(self, most: int = 64) -> None:
        super().__init__(most)


class WebSocket:
    """One connection. ``receive`` belongs to one greenlet, all else to anybody."""

    def __init__(self, connection: socket.socket, protocol: ServerProtocol) -> None:
        self._socket = connection
        self._protocol = protocol
        self._sending = RLock()
        self._received: deque[Message] = deque()
        self._fragments: list[bytes] = []
        self._text = False
        self._heard_at = time.monotonic()

    @classmethod
    def accept(cls, env: dict[str, Any], subprotocol: str) -> WebSocket:
        """Answer the handshake of a request. Raises falcon.HTTPError, and has written nothing, when
        it is none: 426 for a plain request.
        """
        protocol = ServerProtocol(
            subprotocols=[Subprotocol(subprotocol)], max_size=MOST, logger=_QUIET
        )
        protocol.receive_data(_head(env))
        request = next(iter(protocol.events_received()), None)
        if not isinstance(request, Request):
            raise falcon.HTTPBadRequest(description="this is no handshake of a WebSocket")
        response = protocol.accept(request)
        if response.status_code != 101:
            raise _refused(response.status_code)
        connection = env["gunicorn.socket"]
        connection.settimeout(SEND_WITHIN)
        env[TAKEN] = True
        made = cls(connection, protocol)
        protocol.send_response(response)
        made._flush()
        return made

    @property
    def open(self) -> bool:
        """Whether anything can still be sent."""
        return self._protocol.state is State.OPEN

    def heard_within(self, seconds: float) -> bool:
        """Whether anything came of late, an answer to a ping too."""
        return time.monotonic() - self._heard_at <= seconds

    def receive(self, timeout: float) -> Message | None:
        """The next message; None when there is none in time. Raises WebSocketClosed."""
        until = time.monotonic() + timeout
        while not self._received:
            if not self.open:
                raise self._closed()
            left = until - time.monotonic()
            if left <= 0 or not self._has_more(left):
                return None
            self._read()
        return self._received.popleft()

    def send(self, message: Message) -> None:
        """Send a message, whole. Raises WebSocketClosed."""
        with self._sending:
            try:
                if isinstance(message, str):
                    self._protocol.send_text(message.encode())
                else:
                    self._protocol.send_binary(message)
            except InvalidState:
                raise self._closed() from None
            self._flush()

    def ping(self) -> None:
        """Ask whether anybody is there. Raises WebSocketClosed."""
        with self._sending:
            try:
                self._protocol.send_ping(b"")
            except InvalidState:
                raise self._closed() from None
            self._flush()

    def go_away(self) -> None:
        """Close it because the server stops, without waiting for that."""
        gevent.spawn(self.close, RESTART, "the supervisor stops")

    def close(self, code: int, reason: str = "") -> None:
        """Say why and end it; fine if it has ended."""
        # whoever is in the middle of a frame to a client that takes nothing is not waited for
        if self._sending.acquire(timeout=CLOSE_WITHIN):
            try:
                with suppress(InvalidState, OSError, WebSocketClosed):
                    self._socket.settimeout(CLOSE_WITHIN)
                    self._protocol.send_close(code, reason[:120])
                    self._flush()
            finally:
                self._sending.release()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abandon(self) -> None:
        """End the connection itself."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def drain(self) -> None:
        """Wait a moment for the client to have heard the end: with what it has sent unread, the
        system would take back the last of what it was sent.
        """
        until = time.monotonic() + CLOSE_WITHIN
        with suppress(OSError):
            while (left := until - time.monotonic()) > 0 and self._has_more(left):
                if not self._socket.recv(_READ):
                    return

    def _has_more(self, timeout: float) -> bool:
        try:
            wait_read(self._socket.fileno(), timeout, TimeoutError())
        except TimeoutError:
            return False
        except OSError:
            return True  # reading says why
        return True

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except OSError:
            data = b""
        with self._sending:
            if data:
                self._heard_at = time.monotonic()
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            for frame in self._protocol.events_received():
                self._take(frame)
            self._flush()

    def _take(self, frame: Any) -> None:
        if not isinstance(frame, Frame) or frame.opcode not in _DATA:
            return
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            whole, self._fragments = b"".join(self._fragments), []
            try:
                self._received.append(whole.decode() if self._text else whole)
            except UnicodeDecodeError:
                self._protocol.fail(1007, "text that is no UTF-8")

    def _flush(self) -> None:
        with self._sending:
            for data in self._protocol.data_to_send():
                try:
                    if data:
                        self._socket.sendall(data)
                    else:
                        self._socket.shutdown(socket.SHUT_WR)
                except OSError:
                    self.abandon()
                    self._protocol.receive_eof()
                    raise self._closed() from None

    def _closed(self) -> WebSocketClosed:
        told = self._protocol.close_rcvd
        return WebSocketClosed(1006 if told is None else told.code)


_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


def handed_over(
    app: Callable[..., Iterable[bytes]],
) -> Callable[[dict[str, Any], Callable[..., Any]], Any]:
    """The application; of a request whose socket was taken nothing is answered any more."""

    def answered(env: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        items = app(env, start_response)
        return ALREADY_HANDLED if env.get(TAKEN) else items

    return answered


def _head(env: dict[str, Any]) -> bytes:
    """The head of a request, as the client sent it."""
    names = ((name[5:].replace("_", "-").title(), env[name]) for name in env if name[:5] == "HTTP_")
    lines = (
        f"GET {env.get('RAW_URI', '/')} HTTP/1.1",
        *(f"{name}: {text}" for name, text in names),
    )
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def _refused(status: int) -> falcon.HTTPError:
    if status == 426:
        return falcon.HTTPError(
            426,
            description="this is a WebSocket: ask for an upgrade (docs/terminal.md)",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )
    return falcon.HTTPError(status, description="the handshake of this WebSocket is not right")
