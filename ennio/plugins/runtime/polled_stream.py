"""A terminal on a machine where no client of ours can be kept: while somebody watches, its picture
is taken again and again, and shown when it has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ennio.model.errors import NotFound
from ennio.model.terminal_view import TerminalShot
from ennio.plugins.runtime.tmux_shot import painted

_EVERY = 0.5  # seconds between two pictures


class PolledStream:
    """See ``TerminalStream``. ``taken`` is one question to the machine, and raises NotFound where
    there is no such terminal any more.
    """

    def __init__(self, taken: Callable[[], TerminalShot]) -> None:
        self._taken = taken
        self._shot = taken()
        self._due = time.monotonic()
        self._shown: TerminalShot | None = None
        self.missed = 0

    @property
    def size(self) -> tuple[int, int]:
        """See ``TerminalStream``."""
        return self._shot.columns, self._shot.rows

    def read(self, timeout: float) -> bytes | None:
        """See ``TerminalStream``; what has changed begins anew."""
        self.missed, until = 0, time.monotonic() + timeout
        while True:
            if self._shown is None or time.monotonic() >= self._due:
                if self._shown is not None and not self._looked():
                    return None
                if self._shot != self._shown:
                    self.missed = 0 if self._shown is None else -1
                    self._shown = self._shot
                    return painted(self._shot)
            left = until - time.monotonic()
            if left <= 0:
                return b""
            time.sleep(min(left, max(0.0, self._due - time.monotonic())))

    def _looked(self) -> bool:
        """Whether it is there still."""
        try:
            self._shot = self._taken()
        except NotFound:
            return False
        self._due = time.monotonic() + _EVERY
        return True

    def picture(self) -> bytes | None:
        """See ``TerminalStream``: what was read last is the whole of it."""
        return None

    def close(self) -> None:
        """See ``TerminalStream``; nothing is open."""
