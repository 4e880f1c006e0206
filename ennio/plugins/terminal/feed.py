"""The newest output of one terminal, for everybody who looks at it.

Nobody pumps: whoever has seen all there is reads on, for all; so nothing is read ahead of the
fastest, and where all are behind the terminal itself holds back. Whoever is further behind
than is remembered is given the whole picture instead.
"""

from __future__ import annotations

import secrets
import threading
import time

from ennio.model.terminal_view import TerminalOutput
from ennio.plugins.runtime.interface import TerminalStream

RING = 256 << 10
PIECE = 64 << 10


class TerminalFeed:
    """Safe under threads. ``used_at`` is when somebody last asked (monotonic)."""

    def __init__(self, stream: TerminalStream) -> None:
        self.name = secrets.token_hex(6)
        self.readers = 0
        self.used_at = time.monotonic()
        self.over = False
        self._stream = stream
        self._ring = bytearray()
        self._total = 0
        self._anew = 0  # where all began anew last, and nothing was lost
        self._reading = False
        self._changed = threading.Condition()

    def read(self, name: str | None, offset: int, timeout: float) -> TerminalOutput:
        """What follows an offset of the looking of this name, waited for at most ``timeout``
        seconds; the whole picture where that is not known any more.
        """
        with self._changed:
            self.readers += 1
        try:
            known = name == self.name and self._first <= offset <= self._total
            return self._next(offset, timeout) if known else self._picture(name, offset)
        finally:
            with self._changed:
                self.readers -= 1
                self.used_at = time.monotonic()

    def close(self) -> None:
        """Look no more; who waits for more hears that there is none."""
        with self._changed:
            over, self.over = self.over, True
            self._changed.notify_all()
        if not over:
            self._stream.close()

    @property
    def _first(self) -> int:
        return self._total - len(self._ring)

    def _next(self, offset: int, timeout: float) -> TerminalOutput:
        until = time.monotonic() + timeout
        while True:
            with self._changed:
                if offset < self._first:
                    break
                left = until - time.monotonic()
                if offset < self._total or left <= 0 or self.over:
                    return self._piece(offset)
                if self._reading:
                    self._changed.wait(left)
                    continue
                self._reading = True
            self._read_on(left)
        return self._picture(self.name, offset)

    def _read_on(self, timeout: float) -> None:
        data: bytes | None = b""
        try:
            data = self._stream.read(timeout)
        finally:
            with self._changed:
                self._reading = False
                self._take(data)
                self._changed.notify_all()

    def _take(self, data: bytes | None) -> None:
        if data is None:
            over, self.over = self.over, True
            if not over:
                self._stream.close()
            return
        missed = self._stream.missed
        if missed:
            self._total += abs(missed)
            self._ring.clear()
            self._anew = self._total if missed < 0 else self._anew
        self._ring += data
        self._total += len(data)
        del self._ring[:-RING]

    def _piece(self, offset: int) -> TerminalOutput:
        start = len(self._ring) - (self._total - offset)
        data = bytes(self._ring[start : start + PIECE])
        ended = self.over and offset + len(data) == self._total
        return TerminalOutput(self.name, offset, data, *self._stream.size, ended=ended)

    def _picture(self, name: str | None, offset: int) -> TerminalOutput:
        with self._changed:
            while self._reading and not self._total:
                self._changed.wait()
            begins = not self._total and not self.over and not self._reading
            self._reading = self._reading or begins
        if begins:
            self._read_on(0.5)  # what it begins with
        picture = None if self.over else self._stream.picture()
        with self._changed:
            data = bytes(self._ring) if picture is None else picture
            lost = name == self.name and offset >= self._anew
            skipped = max(0, self._total - offset) if lost else 0
            size = self._stream.size
            return TerminalOutput(
                self.name, self._total, data, *size, whole=True, skipped=skipped, ended=self.over
            )
