"""What is kept of a budget for a session that begins, until it has used it itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from ennio.model.money import NOTHING, whole
from ennio.model.usage import Billing
from ennio.policy.budgets.standing import BudgetStanding, BudgetUse, Spent, use_of

ENOUGH = 5
"""Finished sessions of a project that are needed to say what another will cost."""
UNKNOWN_USD, UNKNOWN_TOKENS = Decimal(1), 500_000
"""What is kept for a session of which nothing can be said, where a tenth of the limit is not
less.
"""
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class LikelyCost:
    """What a session will likely use; None where nothing can be said. ``listed_usd`` is what a
    plan will give of it.
    """

    billed_usd: Decimal | None = None
    listed_usd: Decimal | None = None
    tokens: int | None = None


def likely_cost(finished: Iterable[Spent]) -> LikelyCost:
    """The median of what finished sessions used; nothing where they are too few."""
    sessions = list(finished)
    if len(sessions) < ENOUGH:
        return LikelyCost()
    metered = [use_of(one, count_plan=False) for one in sessions]
    everything = [use_of(one, count_plan=True) for one in sessions]
    listed = [both.usd - billed.usd for both, billed in zip(everything, metered, strict=True)]
    return LikelyCost(
        whole(Decimal(median(one.usd for one in metered))),
        whole(Decimal(median(listed))),
        int(median(one.tokens for one in metered)),
    )


def forecast_as(total: Decimal, own: LikelyCost) -> LikelyCost:
    """What a forecast of all money amounts to, shared as the project's own sessions were; where too
    few of these have finished, all of it is metered.
    """
    billed, listed = own.billed_usd, own.listed_usd or NOTHING
    known = None if billed is None else billed + listed
    if billed is None or not known:
        return replace(own, billed_usd=total if billed is None else billed)
    part = whole(total * billed / known)
    return replace(own, billed_usd=part, listed_usd=total - part)


def expected(likely: LikelyCost, at: BudgetStanding) -> BudgetUse:
    """What of that will count towards a budget."""
    unknown_usd, unknown_tokens = _unknown(at)
    counted = likely.listed_usd if at.applied.budget.count_plan else None
    billed = likely.billed_usd
    return BudgetUse(
        unknown_usd if billed is None else billed + (counted or NOTHING),
        unknown_tokens if likely.tokens is None else likely.tokens,
    )


def _unknown(at: BudgetStanding) -> tuple[Decimal, int]:
    usd, tokens = at.limit_usd, at.limit_tokens
    return (
        NOTHING if usd is None else min(UNKNOWN_USD, _TENTH * usd),
        0 if tokens is None else min(UNKNOWN_TOKENS, tokens // 10),
    )


def outstanding(likely: LikelyCost, spent: Spent, at: BudgetStanding) -> BudgetUse:
    """What is still kept for a session that has used so much by itself.

    One that a plan pays for needs no money that is metered.
    """
    kept = expected(likely, at)
    used = use_of(spent, count_plan=at.applied.budget.count_plan)
    on_plan = set(spent) == {Billing.PLAN} and not at.applied.budget.count_plan
    usd = NOTHING if on_plan else max(NOTHING, kept.usd - used.usd)
    return BudgetUse(usd, max(0, kept.tokens - used.tokens))
