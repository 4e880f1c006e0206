"""A line between us and a machine: it takes its time, or carries nothing any more."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from queue import Queue

from tests.ssh.sshd import HOST


class Line:
    """Carries bytes to a port of loopback, ``delay`` seconds late each way; while it is ``dead``
    it takes everything in, closes nothing, and lets nothing out.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self.delay, self.bytes = delay, 0
        self._to = port
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """Carry nothing any more, without a word to anybody."""
        self._open.clear()

    def revive(self) -> None:
        """Carry again what comes from now on."""
        self._open.set()

    def close(self) -> None:
        """Take no more connections."""
        self._open.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection((HOST, self._to))
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    waiting = Queue[tuple[float, bytes]]()
                    for act, end in ((self._take, one), (self._give, other)):
                        threading.Thread(target=act, args=(end, waiting), daemon=True).start()

    def _take(self, end: socket.socket, waiting: Queue[tuple[float, bytes]]) -> None:
        with contextlib.suppress(OSError):
            while data := end.recv(1 << 16):
                self.bytes += len(data)
                waiting.put((time.monotonic() + self.delay, data))
        waiting.put((time.monotonic() + self.delay, b""))

    def _give(self, end: socket.socket, waiting: Queue[tuple[float, bytes]]) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))  # noqa: TID251 - it is the line's length
                self._open.wait()
                if not data:
                    end.shutdown(socket.SHUT_WR)
                    return
                end.sendall(data)


@contextlib.contextmanager
def line_to(port: int, delay: float = 0.0) -> Iterator[Line]:
    """One that is there until the block is left."""
    line = Line(port, delay)
    try:
        yield line
    finally:
        line.close()
