"""How much may be on its way to a client that was not acknowledged, and how fast one may talk."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gevent.event import Event

from ennio.model.errors import Invalid

CREDIT = 512 << 10
"""Bytes that are on their way at most."""


@dataclass(slots=True)
class SendWindow:
    """What was sent and not yet acknowledged, in offsets; ``picture`` bytes of a whole one."""

    sent: int = 0
    acked: int = 0
    picture: int = 0
    moved: Event = field(default_factory=Event)

    @property
    def free(self) -> bool:
        """Whether more may be sent."""
        return self.sent - self.acked + self.picture < CREDIT

    def begin(self, offset: int, size: int) -> None:
        """A whole picture of this size is sent; all before it counts no more."""
        self.sent = self.acked = offset
        self.picture = size

    def ack(self, offset: int) -> None:
        """Everything up to here was taken. Raises Invalid for what was never sent."""
        if offset > self.sent:
            raise Invalid(f"offset: {offset} was never sent")
        if offset >= self.acked:
            self.acked, self.picture = offset, 0
            self.moved.set()

    def wait(self, timeout: float) -> bool:
        """Wait until more may be sent; False when the time is up."""
        until = time.monotonic() + timeout
        while not self.free:
            self.moved.clear()
            left = until - time.monotonic()
            if left <= 0 or not self.moved.wait(left):
                return self.free
        return True


@dataclass(slots=True)
class TokenBucket:
    """How many messages may still come now."""

    rate: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """Count one; False when it is one too many."""
        self.left = min(2 * self.rate, self.left + (now - self.at) * self.rate) - 1
        self.at = now
        return self.left >= 0
