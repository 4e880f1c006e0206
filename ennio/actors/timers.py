"""One wake-up call at a time, at an hour or in a while: a new one replaces it."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Any

import gevent

from ennio.actors.actor import Actor
from ennio.actors.messages import Wake
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


class NextWake:
    """Tells its actor ``Wake`` in a while: when it looks again."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._greenlet: gevent.Greenlet | None = None
        self.due = math.inf
        """When it wakes or last woke it (monotonic); never, while nothing was set."""

    @property
    def pending(self) -> bool:
        """Whether it will still wake it."""
        return self._greenlet is not None and not self._greenlet.dead

    def set(self, seconds: float) -> None:
        """Wake it then, and not when it was to be."""
        self.cancel()
        self.due = time.monotonic() + seconds
        self._greenlet = self._actor.later(seconds, Wake())

    def cancel(self) -> None:
        """Do not wake it."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        self._greenlet, self.due = None, math.inf
