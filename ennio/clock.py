"""Time is a parameter: whoever needs the hour is given a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; always aware, always UTC."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment by the machine."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until told to move; for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move on by so many seconds (backwards when negative)."""
        self._now += timedelta(seconds=seconds)
        return self._now


class Setback:
    """Notices when a clock is put back, by one that only runs on. Deadlines are to go back with it."""

    def __init__(self, clock: Clock, least: float = 5.0) -> None:
        self._clock = clock
        self._least = timedelta(seconds=least)
        self._seen = (clock.now(), time.monotonic())

    def taken(self) -> timedelta | None:
        """By how much it was put back since this was last asked, or None."""
        (before, then), (now, mark) = self._seen, (self._clock.now(), time.monotonic())
        self._seen = (now, mark)
        back = before + timedelta(seconds=mark - then) - now
        return back if back >= self._least and now < before else None


def rfc3339(moment: datetime) -> str:
    """A moment as text with offset, microseconds kept: ``2026-01-01T00:00:00.000000+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_time(text: str) -> datetime:
    """Read RFC 3339 or SQLite's ``YYYY-MM-DD HH:MM:SS``; without an offset it is UTC.

    Raises ValueError on anything else.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
