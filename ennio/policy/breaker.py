"""The common-cause breaker: many children crashing at once is one outage, not many. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Breaker:
    """Open while more than ``limit`` different children crashed within ``window`` seconds.

    While it is open, restarts are spread out and do not count against any single child.
    """

    limit: int = 10
    window: float = 10.0
    crashes: tuple[tuple[datetime, str], ...] = ()

    def record(self, name: str, now: datetime) -> Breaker:
        """The breaker after one more crash."""
        kept = tuple(
            (at, who) for at, who in self.crashes if now - at < timedelta(seconds=self.window)
        )
        return Breaker(self.limit, self.window, (*kept, (now, name)))

    def is_open(self, now: datetime) -> bool:
        """Whether the crashes of late have one common cause."""
        names = {
            who
            for at, who in self.crashes
            if timedelta(0) <= now - at < timedelta(seconds=self.window)
        }
        return len(names) > self.limit
