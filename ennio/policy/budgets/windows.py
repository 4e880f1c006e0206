"""The window that a budget counts in: a day, a month, or all there ever was; of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ennio.config.money import BudgetPeriod


@dataclass(frozen=True, slots=True)
class BudgetWindow:
    """From ``since`` on and before ``until``; None is without end. ``key`` tells it from others."""

    key: str
    since: datetime | None = None
    until: datetime | None = None


WHOLE = BudgetWindow("total")


def window(period: BudgetPeriod, now: datetime) -> BudgetWindow:
    """The window of a period that a moment lies in."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case BudgetPeriod.DAILY:
            return BudgetWindow(f"{day:%Y-%m-%d}", day, day + timedelta(days=1))
        case BudgetPeriod.MONTHLY:
            first = day.replace(day=1)
            # 31 days on is in the next month, however long this one is
            return BudgetWindow(
                f"{first:%Y-%m}", first, (first + timedelta(days=31)).replace(day=1)
            )
        case BudgetPeriod.TOTAL:
            return WHOLE
