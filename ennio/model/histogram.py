"""How many values lie where, and their sum."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Histogram:
    """``within`` counts the values up to each of ``bounds`` and above the one before; its last,
    those above all.
    """

    bounds: tuple[float, ...]
    within: tuple[int, ...]
    total: float = 0.0

    @classmethod
    def of(cls, bounds: tuple[float, ...], values: Iterable[float] = ()) -> Self:
        """The one of these values."""
        found, total = [0] * (len(bounds) + 1), 0.0
        for value in values:
            found[bisect_left(bounds, value)] += 1
            total += value
        return cls(bounds, tuple(found), total)

    def plus(self, other: Self) -> Self:
        """Both together; they have the same bounds."""
        within = tuple(mine + yours for mine, yours in zip(self.within, other.within, strict=True))
        return type(self)(self.bounds, within, self.total + other.total)
