"""The near end of a tunnel: a unix socket on this side, a port of the loopback on the other, and
what can happen to a line between them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class Relay:
    """Passes bytes both ways until it is cut.

    Where ``free`` is cleared it takes them and passes none; where ``answering`` is, none back.
    """

    def __init__(self, place: Path, port: int) -> None:
        self.place, self.port = place, port
        self.free = threading.Event()
        self.free.set()
        self.answering = threading.Event()
        self.answering.set()
        self._ends: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection; new ones are taken."""
        for end in tuple(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.place.unlink(missing_ok=True)
        self.free.set()
        self.answering.set()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._ends |= {near, far}
            for words in ((near, far, self.free), (far, near, self.answering)):
                threading.Thread(target=self._pass, args=words, daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, let: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                self.free.wait()
                let.wait()
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._ends.discard(end)
