"""Time is a parameter: whoever needs the hour is given a clock."""

from __future__ import annotations

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


def rfc3339(moment: datetime) -> str:
    """A moment as text with offset, microseconds kept: ``2026-01-01T00:00:00.000000+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_time(text: str) -> datetime:
    """Read RFC 3339 or SQLite's ``YYYY-MM-DD HH:MM:SS``; without an offset it is UTC.

    Raises ValueError on anything else.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
