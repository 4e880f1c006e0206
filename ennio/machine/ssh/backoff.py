"""When a machine that could not be reached is tried again: later and later, and at once when this
one has slept or its network has changed.

Where nothing answers at all, another attempt is a packet. Where something did, it is a connection,
that a machine may count; a login that was refused it may count against us.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import psutil

from ennio.machine.ssh.errors import LoginRefused, NotReached
from ennio.model.errors import Unreachable

_FIRST, _LONGEST = 1.0, 30.0
_LONGEST_AWAY = 10.0
_FIRST_REFUSED, _LONGEST_REFUSED = 30.0, 300.0  # a host may lock out who tries too often
_HURRIED = 1.0  # seconds between two attempts where somebody waits
_JUMP = 5.0  # seconds that two clocks of this machine may drift apart while it is awake
_ROUTES = ((Path("/proc/net/route"), (2, 0, 1, 7)), (Path("/proc/net/ipv6_route"), (4, 9, 0, 1)))
"""Where Linux tells them, and which words of a line are the gateway, and what it leads to."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What changes when a laptop wakes or moves: how far its clocks are apart, and its network, by
    its addresses, the ways out of it, and what is plugged in.
    """

    apart: float
    network: frozenset[str]

    def differ(self, other: Surroundings) -> bool:
        """Whether it slept or moved in between."""
        return abs(self.apart - other.apart) > _JUMP or self.network != other.network


def surroundings() -> Surroundings:
    """As they are now."""
    return Surroundings(clocks_apart(), frozenset((*_addresses(), *_gateways(), *_running())))


def _addresses() -> Iterator[str]:
    families = {socket.AF_INET, socket.AF_INET6}
    for name, several in psutil.net_if_addrs().items():
        yield from (f"{name} {one.address}" for one in several if one.family in families)


def _gateways() -> Iterator[str]:
    """The routes by way of another machine, where they are told in a file."""
    for file, places in _ROUTES:
        with suppress(OSError):
            rows = [line.split() for line in file.read_text().splitlines()]
            told = [[row[at] for at in places] for row in rows if len(row) > max(places)]
            yield from (" ".join(words) for words in told if words[0].strip("0"))


def _running() -> Iterator[str]:
    """The interfaces that carry something: an address outlives its cable."""
    return (name for name, one in psutil.net_if_stats().items() if one.isup)


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
        self._tried, self._until = 0.0, 0.0
        self._seen: Surroundings | None = None

    def failed(self, error: Unreachable) -> None:
        """Another attempt failed."""
        self._failed += 1
        first, longest = _limits(error)
        wait = min(longest, first * 2 ** min(self._failed - 1, 16))
        self._error, self._seen, self._tried = error, self._look(), self._now()
        self._until = self._tried + wait * random.uniform(0.75, 1.0)  # noqa: S311 - spreads

    def clear(self) -> None:
        """It was reached, or is to be tried at once."""
        self._failed, self._error, self._until, self._seen = 0, None, 0.0, None

    def hurry(self) -> None:
        """Somebody waits for it: where nothing answered, it may be tried at once, but for the
        second after an attempt.
        """
        if isinstance(self._error, NotReached):
            self._until = min(self._until, self._tried + _HURRIED)

    def repeat(self) -> None:
        """Raises the last error again, where the last attempt failed."""
        if self._error is not None:
            raise copy(self._error) from self._error

    def check(self) -> None:
        """Raises the last error again where it is too early for another attempt, in the same words:
        they are kept and shown for longer than the seconds that are left now.
        """
        if self._error is None or self._until <= self._now():
            return
        if self._may_move and self._seen is not None and self._seen.differ(self._look()):
            self.clear()
            return
        self.repeat()

    @property
    def _may_move(self) -> bool:
        """Whether a change of the network is a reason to try again: interfaces that come and go
        are none to log in again and again.
        """
        refused = isinstance(self._error, LoginRefused)
        return not refused or self._now() - self._tried >= _FIRST_REFUSED


def _limits(error: Unreachable) -> tuple[float, float]:
    """Seconds until the second attempt, and between two at most."""
    if isinstance(error, LoginRefused):
        return _FIRST_REFUSED, _LONGEST_REFUSED
    return _FIRST, _LONGEST_AWAY if isinstance(error, NotReached) else _LONGEST
