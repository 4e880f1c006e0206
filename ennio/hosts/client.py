"""A host in another process: every call goes there as data, and comes back as data or as
the error that it raised.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from ennio.hosts import frames
from ennio.hosts.calls import CALLS, HostCall, answered
from ennio.model.errors import Unreachable

SILENCE = 30.0  # seconds without a word, not even that somebody is there
_KEPT = 8  # connections that are kept for the next calls


class HostClient:
    """Speaks for a ``HostServer``; its methods are those of ``Host``. Safe under threads: each call
    has a connection to itself.

    A connection that is lost makes a call ``Unreachable``: nothing is known of what became of it,
    and it may be asked again.
    """

    def __init__(
        self, name: str, connect: Callable[[], socket.socket], *, silence: float = SILENCE
    ) -> None:
        self.name = name
        self._connect = connect
        self._silence = silence
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        call = CALLS.get(name)
        if call is None:
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask(call, *args, **kwargs)

    def close(self) -> None:
        """Let go of what is kept."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            connection.close()

    def _ask(self, call: HostCall, *args: Any, **kwargs: Any) -> Any:
        try:
            return answered(call, self._exchanged(call.request(*args, **kwargs)))
        except TimeoutError as error:
            raise Unreachable(f"{self._who} said nothing for {self._silence:g} s") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self._who} cannot be asked: {error}") from error

    @property
    def _who(self) -> str:
        return f"host {self.name or 'of this machine'}"

    def _exchanged(self, request: dict[str, Any]) -> dict[str, Any]:
        connection = self._taken()
        try:
            frames.send(connection, request)
            while (answer := frames.receive(connection)) is None:
                pass
        except BaseException:  # whoever gave up left half a conversation in it
            connection.close()
            raise
        self._give_back(connection)
        return answer

    def _taken(self) -> socket.socket:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if _is_quiet(connection):
                    connection.settimeout(self._silence)
                    return connection
                connection.close()
        connection = self._connect()
        connection.settimeout(self._silence)
        return connection

    def _give_back(self, connection: socket.socket) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()


def _is_quiet(connection: socket.socket) -> bool:
    """Whether there is nothing to hear: nothing was asked, so that could only be its end."""
    try:
        connection.settimeout(0)
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
