"""How far the clock over there is ahead of ours: told with an answer now and then, at no way more.

A clock that is within ``CLOSE`` of ours is taken for the same one, so that what is read of two
machines that keep the time is what stands there, and never moves with the length of the line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from ennio.machine.ssh.backoff import clocks_apart

CLOSE = 2.0  # seconds; a shell may tell whole ones, and an answer is on its way for a while
_EVERY = 60.0  # seconds until it is told again
_SET = 1.0  # seconds that our own clock is put forward or back, after which it is
_TOLD = re.compile(rb"(\d+)(?:\.(\d+))?")
ASKED = b'"$(date +%s.%N 2>/dev/null)"'


class FarTime:
    """See the module. ``wall`` and ``running`` are clocks of ours: the one that people read, and
    one that nobody sets.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        running: Callable[[], float] = time.monotonic,
        apart: Callable[[], float] = clocks_apart,
    ) -> None:
        self.ahead = 0.0
        """Seconds; negative where it is behind."""
        self.slack = 0.0
        """By how many seconds more than that it may be behind: an answer is on its way for a while,
        and what is close is taken for ours.
        """
        self._wall, self._running, self._apart = wall, running, apart
        self._told: tuple[float, float] | None = None

    def now(self) -> float:
        """Seconds since 1970 by the clock over there."""
        return self._wall() + self.ahead

    def is_due(self) -> bool:
        """Whether the next question is to ask for it."""
        return (
            self._told is None
            or self._running() - self._told[0] >= _EVERY
            or abs(self._apart() - self._told[1]) >= _SET
        )

    def begun(self) -> float:
        """The moment at which a question is sent that asks for it; others need not."""
        self._told = (self._running(), self._apart())
        return self._wall()

    def told(self, begun: float, words: bytes) -> None:
        """What the answer said of it, to a question of that moment. A clock over there that does
        not say is believed to be right.
        """
        found = _TOLD.match(words)
        if found is None:
            return
        there = float(found[1]) + (float(b"0." + found[2]) if found[2] else 0.5)
        most, least = there - begun, there - self._wall()
        if not least - CLOSE <= self.ahead <= most + CLOSE:
            middle = (most + least) / 2
            self.ahead = 0.0 if abs(middle) <= CLOSE else middle
        earliest = least if found[2] else least - 0.5
        self.slack = min(max(0.0, self.ahead - earliest), CLOSE)
