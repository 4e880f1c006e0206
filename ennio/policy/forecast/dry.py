"""When a budget runs dry, if the days to come are as those before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from ennio.model.money import NOTHING
from ennio.policy.forecast.groups import LEAST
from ennio.policy.forecast.quantiles import HALF, NINE_TENTHS, TENTH, quantile

LOOKED_AT = 28
"""Days; what was longer ago says little."""
_FAR = Decimal(3650)


@dataclass(frozen=True, slots=True)
class DryForecast:
    """``earliest`` if every day took what only one in ten took more than, ``likely`` what half of
    them did, ``latest`` what one in ten took less than; from ``days`` whole days.

    None is not before it begins anew, or too few days.
    """

    days: int
    earliest: datetime | None = None
    likely: datetime | None = None
    latest: datetime | None = None


def past_days(spent: Mapping[str, Decimal], now: datetime) -> tuple[Decimal, ...]:
    """What each whole day took of late, from the first on that took anything; ``spent`` is by day
    (UTC). A day on which nothing was spent is one as well.
    """
    today = now.date()
    begun = min((date.fromisoformat(day) for day in spent), default=today)
    first = max(begun, today - timedelta(days=LOOKED_AT))
    days = [first + timedelta(days=n) for n in range((today - first).days)]
    return tuple(spent.get(day.isoformat(), NOTHING) for day in days)


def runs_dry(
    remaining: Decimal, days: Sequence[Decimal], now: datetime, until: datetime | None
) -> DryForecast:
    """When so much is used up, where it begins anew at ``until`` (None: never)."""
    n = len(days)
    if remaining <= 0:
        return DryForecast(n, now, now, now)
    if n < LEAST:
        return DryForecast(n)
    ends = [
        _end(remaining, quantile(days, part), now, until) for part in (NINE_TENTHS, HALF, TENTH)
    ]
    return DryForecast(n, *ends)


def sooner(one: DryForecast, other: DryForecast) -> DryForecast:
    """That of a budget with two limits: whichever is reached first."""
    pairs = (
        (one.earliest, other.earliest),
        (one.likely, other.likely),
        (one.latest, other.latest),
    )
    first = [min((at for at in pair if at is not None), default=None) for pair in pairs]
    return DryForecast(max(one.days, other.days), *first)


def _end(
    remaining: Decimal, a_day: Decimal, now: datetime, until: datetime | None
) -> datetime | None:
    if a_day <= 0 or remaining / a_day > _FAR:
        return None
    at = now + timedelta(days=float(remaining / a_day))
    return at if until is None or at < until else None
