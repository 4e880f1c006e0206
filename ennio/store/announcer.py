"""Tells listeners of committed events: each batch once, in order, whoever commits meanwhile."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from ennio.model.events import Event
from ennio.model.failpoints import failpoint

Listener = Callable[[Sequence[Event]], None]
log = logging.getLogger(__name__)


class Announcer:
    """The fan-out of events. One caller at a time tells; others leave their batch to it.

    So a listener that commits events itself, or lets another greenlet run,
    hears of everything in order.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._batches: deque[Sequence[Event]] = deque()
        self._guard = threading.Lock()
        self._busy = False

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell this one too, until the function returned is called (twice is fine)."""
        entry: Listener = lambda events: listener(events)  # noqa: E731, PLW0108 - an identity of its own: one listener may be added twice
        self._listeners.append(entry)

        def end() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return end

    def enqueue(self, events: Sequence[Event]) -> None:
        """Line up a committed batch; called in the order of commits."""
        if events:
            self._batches.append(events)

    def announce(self) -> None:
        """Tell what is lined up, unless somebody is at it: then they will."""
        if self._batches:
            self._tell_all()

    @failpoint("fan-out")
    def _tell_all(self) -> None:
        with self._guard:
            if self._busy:
                return
            self._busy = True
        try:
            while (events := self._next()) is not None:
                for listener in tuple(self._listeners):
                    _tell(listener, events)
        except BaseException:
            self._busy = False
            raise

    def _next(self) -> Sequence[Event] | None:
        with self._guard:
            self._busy = bool(self._batches)
            return self._batches.popleft() if self._batches else None


def _tell(listener: Listener, events: Sequence[Event]) -> None:
    try:
        listener(events)
    except Exception:
        log.exception("a listener failed on events %d to %d", events[0].seq, events[-1].seq)
