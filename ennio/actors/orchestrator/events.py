"""The event log: read page by page, or waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.model.events import Event


@dataclass(frozen=True, slots=True)
class EventApi:
    """What can be asked of events."""

    deps: Dependencies
    feed: Feed

    def last_seq(self) -> int:
        """The number of the newest one; 0 before the first."""
        return self.deps.store.events.last_seq()

    def after(self, seq: int, limit: int, **filters: Any) -> Sequence[Event]:
        """The ones behind this number, oldest first."""
        return self.deps.store.events.after(seq, limit=limit, **filters)

    def before(self, seq: int | None, limit: int, **filters: Any) -> Sequence[Event]:
        """The ones before this number, or all, newest first."""
        return self.deps.store.events.before(seq, limit=limit, **filters)

    def wait(self, after: int, timeout: float) -> list[Event]:
        """Events after this seq, at once when there are any, else as soon as
        there are or the time is up.
        """
        return self.feed.wait(after, timeout)
