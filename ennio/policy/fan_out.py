"""How fast an agent burns tokens: the fullest minute of late, by the requests' own times. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ennio.model.usage import Tokens

MINUTE = timedelta(minutes=1)
LASTS = timedelta(minutes=5)
"""For how long a minute counts once it has ended: what was burned is told late, and in heaps."""


@dataclass(frozen=True, slots=True)
class Burned:
    """What one request used, and when."""

    at: datetime
    tokens: int


@dataclass(frozen=True, slots=True)
class FullestMinute:
    """The most that was used within a minute, and when that ended."""

    tokens: int
    ended: datetime


def burned(tokens: Tokens) -> int:
    """The tokens that count: what is read from a cache is sent anew with each request."""
    return tokens.given - tokens.cache_read + tokens.output


def recent(requests: Iterable[Burned], now: datetime) -> tuple[Burned, ...]:
    """Those that still count. One of a time to come is one from before the clock was put back."""
    kept = (Burned(min(one.at, now), one.tokens) for one in requests)
    return tuple(one for one in kept if one.at > now - LASTS - MINUTE)


def fullest_minute(requests: Iterable[Burned]) -> FullestMinute | None:
    """The fullest of all minutes that end with a request, in whatever order they are told; None
    without any. A request that was told of with too much has an entry that takes it back.
    """
    ordered = sorted(requests, key=lambda one: one.at)
    fullest, within, first = None, 0, 0
    for number, one in enumerate(ordered):
        within += one.tokens
        while ordered[first].at <= one.at - MINUTE:
            within -= ordered[first].tokens
            first += 1
        last = number + 1 == len(ordered) or ordered[number + 1].at > one.at
        if last and (fullest is None or within >= fullest.tokens):
            fullest = FullestMinute(within, one.at)
    return fullest
