"""The event log as a stream: recent events from memory, older ones from the store, one
wake-up for all listeners.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import gevent
from gevent.event import Event as Signal

from ennio.model.events import Event
from ennio.store import Store

KEPT = 2000


class Feed:
    """Follows the log. Listeners keep a cursor (the last seq they saw) and wait
    for what comes after it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: deque[Event] = deque(maxlen=KEPT)
        self._signal = Signal()
        self._unlisten = store.listen(self._heard)

    def close(self) -> None:
        """Let everybody who waits go."""
        self._unlisten()
        self._signal.set()

    def _heard(self, events: Sequence[Event]) -> None:
        if self._recent and events[0].seq != self._recent[-1].seq + 1:
            # what came between was never told of: memory without a gap, or none
            self._recent.clear()
        self._recent.extend(events)
        signal, self._signal = self._signal, Signal()
        signal.set()

    def wait(self, after: int, timeout: float, limit: int = 500) -> list[Event]:
        """The events after this seq, oldest first, at most ``limit``; empty when the time is up."""
        found = self._after(after, limit)
        if found:
            return found
        signal = self._signal
        signal.wait(timeout)
        gevent.sleep(0)
        return self._after(after, limit)

    def _after(self, after: int, limit: int) -> list[Event]:
        recent = self._recent
        if recent and recent[0].seq <= after + 1:
            newest = recent[-1].seq
            missing = min(max(newest - after, 0), len(recent))
            start = len(recent) - missing
            return [recent[index] for index in range(start, min(len(recent), start + limit))]
        return self._store.events.after(after, limit=limit)
