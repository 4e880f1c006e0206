"""Time is a parameter: whoever needs the hour is given a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Tells the time; always aware, always UTC."""

    def now(self) -> datetime:
        """The present moment."""
        ...

    def running(self) -> float:
        """Seconds by a watch that nobody sets, and that stands still while the machine sleeps."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment by the machine."""
        return datetime.now(UTC)

    def running(self) -> float:
        """Seconds the machine was awake."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until told to move; for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._running = 0.0

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self._now

    def running(self) -> float:
        """The seconds it was advanced by."""
        return self._running

    def advance(self, seconds: float) -> datetime:
        """Let so many seconds pass."""
        self._running += seconds
        return self.put(seconds)

    def put(self, seconds: float) -> datetime:
        """Put it forward, or back when negative, while no time passes."""
        self._now += timedelta(seconds=seconds)
        return self._now


class ClockJump:
    """Notices when a clock was put forward or back, or the machine slept: time by the
    clock that did not pass.
    """

    def __init__(self, clock: Clock, least: float = 5.0) -> None:
        self._clock = clock
        self._least = timedelta(seconds=least)
        self._seen = (clock.now(), clock.running())

    def taken(self) -> timedelta | None:
        """How far it jumped since this was last asked, negative when back;
        None for less than counts.
        """
        (before, then), (now, mark) = self._seen, (self._clock.now(), self._clock.running())
        jump = now - before - timedelta(seconds=mark - then)
        if abs(jump) < self._least:
            # what is seen stays: a clock that is put back little by little counts in the end
            return None
        self._seen = (now, mark)
        return jump


@lru_cache(maxsize=1024)  # the moment of a birth is written with every row, that of a step in many
def rfc3339(moment: datetime) -> str:
    """A moment as text with offset, microseconds kept: ``2026-01-01T00:00:00.000000+00:00``."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(
        timespec="microseconds"
    )


def parse_time(text: str) -> datetime:
    """Read RFC 3339 or SQLite's ``YYYY-MM-DD HH:MM:SS``; without an offset it is UTC.

    Raises ValueError on anything else.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:  # as all that we write
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
