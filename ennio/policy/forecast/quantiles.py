"""Quantiles of a few numbers, such that they hold for the next one. Pure.

Of ``n`` numbers in their order the k-th stands for the quantile ``k / (n + 1)``: the next number,
which is like them, falls below the k-th with just that chance. Between two of them it is a
straight line. So nine numbers are the least that say anything of one in ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from ennio.model.forecast import MoneyQuantiles, Quantiles

TENTH, HALF, NINE_TENTHS = Decimal("0.1"), Decimal("0.5"), Decimal("0.9")
_Z = 1.2815515655446004
"""The quantile 0.9 of the normal distribution."""


def quantile(values: Sequence[Decimal | int], part: Decimal) -> Decimal:
    """The quantile of some numbers, at least one; beyond the outermost it is that one."""
    ordered = sorted(map(Decimal, values))
    place = part * (len(ordered) + 1)
    below = int(place)
    if below < 1:
        return ordered[0]
    if below >= len(ordered):
        return ordered[-1]
    low, high = ordered[below - 1], ordered[below]
    return low + (high - low) * (place - below)


def counts(values: Sequence[int]) -> Quantiles:
    """The three of whole numbers."""
    return Quantiles(*(round(quantile(values, part)) for part in (TENTH, HALF, NINE_TENTHS)))


def money(values: Sequence[Decimal]) -> MoneyQuantiles:
    """The three of dollars."""
    return MoneyQuantiles(*(quantile(values, part) for part in (TENTH, HALF, NINE_TENTHS)))


def share(many: int, of: int) -> Quantiles:
    """In which range a share lies, in percent, where ``many`` in ``of`` were seen (Wilson's
    interval).
    """
    seen, weight = many / of, _Z * _Z / of
    middle = (seen + weight / 2) / (1 + weight)
    spread = _Z * math.sqrt(seen * (1 - seen) / of + weight / (4 * of)) / (1 + weight)
    ends = (max(0.0, middle - spread), middle, min(1.0, middle + spread))
    return Quantiles(*(round(100 * each) for each in ends))
