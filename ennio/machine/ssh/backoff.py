"""When a machine that could not be reached is tried again: later and later, and at once when this
one has slept or its network has changed.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import psutil

from ennio.machine.ssh.errors import LoginRefused
from ennio.model.errors import Unreachable

_FIRST, _LONGEST = 1.0, 30.0
_FIRST_REFUSED, _LONGEST_REFUSED = 30.0, 300.0  # a host may lock out who tries too often
_JUMP = 5.0  # seconds that two clocks of this machine may drift apart while it is awake


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What changes when a laptop wakes or moves: how far its clocks are apart, and its
    addresses.
    """

    apart: float
    addresses: frozenset[str]

    def differ(self, other: Surroundings) -> bool:
        """Whether it slept or moved in between."""
        return abs(self.apart - other.apart) > _JUMP or self.addresses != other.addresses


def surroundings() -> Surroundings:
    """As they are now."""
    families = {socket.AF_INET, socket.AF_INET6}
    addresses = frozenset(
        f"{name} {one.address}"
        for name, several in psutil.net_if_addrs().items()
        for one in several
        if one.family in families
    )
    return Surroundings(clocks_apart(), addresses)


def clocks_apart() -> float:
    """The clock on the wall goes on while a machine sleeps, the other one does not."""
    return time.time() - time.monotonic()


class Backoff:
    """What is remembered of failed attempts; of one machine, and used under a lock."""

    def __init__(
        self,
        look: Callable[[], Surroundings] = surroundings,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._now = look, now
        self._failed = 0
        self._error: Unreachable | None = None
        self._until = 0.0
        self._seen: Surroundings | None = None

    def failed(self, error: Unreachable) -> None:
        """Another attempt failed."""
        self._failed += 1
        refused = isinstance(error, LoginRefused)
        first, longest = (_FIRST_REFUSED, _LONGEST_REFUSED) if refused else (_FIRST, _LONGEST)
        wait = min(longest, first * 2 ** min(self._failed - 1, 16))
        self._error, self._seen = error, self._look()
        self._until = self._now() + wait * random.uniform(0.75, 1.0)  # noqa: S311 - spreads

    def clear(self) -> None:
        """It was reached, or is to be tried at once."""
        self._failed, self._error, self._until, self._seen = 0, None, 0.0, None

    def check(self) -> None:
        """Raises the last error again where it is too early for another attempt, in the same words:
        they are kept and shown for longer than the seconds that are left now.
        """
        if self._error is None or self._until <= self._now():
            return
        if self._seen is not None and self._seen.differ(self._look()):
            self.clear()
            return
        raise copy(self._error) from self._error
