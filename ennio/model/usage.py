"""What an agent used of a model: one request at a time, as the agent itself tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import add, sub
from typing import Self

FAST = "fast"
"""The tier of a request that was answered faster, for more."""


class Billing(StrEnum):
    """Who pays: each request by itself, or a plan that was paid for before."""

    METERED = "metered"
    PLAN = "plan"


class UsageSource(StrEnum):
    """Who computed the money: whoever told the usage, or we from a list of prices."""

    PROVIDER = "provider"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a request is charged by: tokens by what they cost, and how often its provider searched
    the web for it. ``input`` was neither read from a cache nor written to one.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0

    @property
    def given(self) -> int:
        """All that was sent to the model."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(*map(add, self.counts, other.counts))

    def __sub__(self, other: Self) -> Self:
        """What the one has more than the other; may be negative."""
        return type(self)(*map(sub, self.counts, other.counts))

    def most(self, other: Self) -> Self:
        """The greater of each: a request that is told of twice has only grown."""
        return type(self)(*map(max, self.counts, other.counts))

    @property
    def counts(self) -> tuple[int, int, int, int, int, int]:
        """Each of them, in their order."""
        written = (self.cache_write, self.cache_write_1h)
        return self.input, self.output, self.cache_read, *written, self.web_searches


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """One request to a model.

    ``id`` tells it from all others of its session for ever, however often it is told of; told
    again it may have grown. ``tier`` is the way it was served where that has a price of its own
    (``batch``, ``priority``). ``cost_usd`` is the money the agent or its provider tells, None
    where they do not. ``provider`` names who serves the model, where the agent tells. ``launch``
    is the launch it is of, None: of the present one. ``unmeasured``: it was answered, and what it
    used nobody knows.
    """

    id: str
    at: datetime
    tokens: Tokens
    model: str | None = None
    provider: str | None = None
    tier: str | None = None
    cost_usd: Decimal | None = None
    billing: Billing = Billing.METERED
    launch: int | None = None
    unmeasured: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """What a proxy counted of a launch, and what its agent told of it (None: it never tells).

    ``unknown`` of the ``requests`` were answered, or cut off, and what they used nobody knows.
    ``busy``: one is under way; ``quiet_since`` is when the last one ended.
    """

    launch: int
    requests: int
    tokens: Tokens
    unknown: int
    told_requests: int
    told: Tokens | None
    busy: bool = False
    quiet_since: datetime | None = None

    @property
    def differs(self) -> bool:
        """Whether they do not agree on what was used."""
        return self.told is not None and any((self.tokens - self.told).counts)


class MeterNews(StrEnum):
    """What a proxy counted that a person should hear of."""

    DIFFERS = "differs"
    CUT_OFF = "cut_off"
