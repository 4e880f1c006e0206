"""Serves a host to other processes: every call in a thread of its own, so that a
long one holds up nobody.

While a call is at work the caller is told every few seconds that somebody is there. A call whose
caller has gone is done to its end all the same: who asks again finds it done.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import Any

from ennio.hosts import frames
from ennio.hosts.calls import CALLS, HostError
from ennio.hosts.interface import Host
from ennio.model.codec import to_json
from ennio.model.errors import Invalid, Unreachable

log = logging.getLogger(__name__)

BEAT = 5.0  # seconds between two words of a call that is at work


class HostServer:
    """One host behind one listening socket; who may connect is the socket's affair."""

    def __init__(self, host: Host, listener: socket.socket, *, beat: float = BEAT) -> None:
        self._host = host
        self._listener = listener
        self._beat = beat
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._closed = False

    def serve(self) -> None:
        """Take connections until ``close``."""
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                raise
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Take no more, and cut those there are."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for the next
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection; what is at work for them goes on."""
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket) -> None:
        """One call after the other, until the other side goes."""
        try:
            with connection:
                while (request := frames.receive(connection)) is not None:
                    frames.send(connection, self._answered(request, connection))
        except OSError as error:
            log.debug("a caller has gone", extra={"error": str(error)})
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _answered(self, request: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        work = threading.Thread(target=lambda: answers.append(self._done(request)), daemon=True)
        work.start()
        while work.is_alive():
            work.join(self._beat)
            if work.is_alive():
                frames.send(connection, None)
        return answers[0]

    def _done(self, request: dict[str, Any]) -> dict[str, Any]:
        call, given = CALLS.get(str(request.get("call"))), request.get("with")
        if call is None or not isinstance(given, dict):
            return {
                "error": to_json(
                    HostError.of(
                        Invalid(f"this version of Ennio knows no call {request.get('call')!r}")
                    )
                )
            }
        try:
            return call.on(self._host, given)
        except Exception as error:
            log.exception("a call failed", extra={"call": call.name})
            return {
                "error": to_json(
                    HostError.of(
                        Unreachable(f"{call.name} failed: {type(error).__name__}: {error}")
                    )
                )
            }
