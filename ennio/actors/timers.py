"""One wake-up call at a time: the earliest wins, a later one replaces it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import gevent

from ennio.actors.actor import Actor
from ennio.model.clock import Clock


class Alarm:
    """Tells its actor a message at a moment; setting it anew forgets the earlier moment."""

    def __init__(self, actor: Actor, clock: Clock, message: Any) -> None:
        self._actor = actor
        self._clock = clock
        self._message = message
        self._at: datetime | None = None
        self._greenlet: gevent.Greenlet | None = None

    def set(self, at: datetime | None) -> None:
        """Wake it at this moment; None: not at all."""
        if at == self._at and self._greenlet is not None and not self._greenlet.dead:
            return
        self.cancel()
        self._at = at
        if at is not None:
            wait = (at - self._clock.now()).total_seconds()
            self._greenlet = self._actor.later(wait, self._message)

    def cancel(self) -> None:
        """Do not wake it."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        self._greenlet = None
        self._at = None
