"""Since when nobody has asked a node for anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CallActivity:
    """Counts the calls that are at work, and the seconds since the last one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._running = 0
        self._last = clock()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call is at work."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        """Something is under way, until ``end`` is called as often."""
        with self._changed:
            self._running += 1

    def end(self) -> None:
        """It is over."""
        with self._changed:
            self._running -= 1
            self._last = self._clock()
            self._changed.notify_all()

    def touch(self) -> None:
        """The idle time begins anew."""
        with self._changed:
            self._last = self._clock()

    @property
    def idle(self) -> float:
        """Seconds since anything was at work; none while something is."""
        with self._changed:
            return 0.0 if self._running else self._clock() - self._last

    def settle(self, seconds: float) -> bool:
        """Wait until no call is at work, at most so long; whether none is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)
