"""How far a budget is used up, and what that amounts to. Pure.

Money counts where it was metered, and at list price what a plan gave where the budget asks for
that; tokens count all. Money that is not known is never taken for none: what is known is the least
it can be, and a person is told that it is more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ennio.config.money import OnExceed
from ennio.model.money import NOTHING, used_of
from ennio.model.usage import Billing
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.windows import BudgetWindow
from ennio.policy.ledger.spending import Spending

Spent = Mapping[Billing, Spending]
"""What was used, by who pays."""


class BudgetLevel(StrEnum):
    """How far a budget is used up: not yet to its mark, to its mark, or all of it."""

    WITHIN = "within"
    WARNED = "warned"
    EXCEEDED = "exceeded"


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What counts towards a budget; of ``unpriced`` requests the money is not known."""

    usd: Decimal = NOTHING
    tokens: int = 0
    unpriced: int = 0

    def __add__(self, other: BudgetUse) -> BudgetUse:
        """Both together."""
        return BudgetUse(
            self.usd + other.usd, self.tokens + other.tokens, self.unpriced + other.unpriced
        )


@dataclass(frozen=True, slots=True)
class BudgetRaise:
    """More for a budget, in one window; an entry that is never changed. ``budget`` is its name,
    ``good_for`` the key of that window. One that ends others is of less than nothing.
    """

    id: str
    budget: str
    good_for: str
    usd: Decimal | None
    tokens: int | None
    at: datetime
    by: str


def use_of(spent: Spent, *, count_plan: bool) -> BudgetUse:
    """What of it counts."""
    counted = [
        spending for billing, spending in spent.items() if count_plan or billing is not Billing.PLAN
    ]
    return BudgetUse(
        sum((one.billed + one.listed for one in counted), NOTHING),
        sum(one.tokens.given + one.tokens.output for one in spent.values()),
        sum(one.unpriced for one in counted),
    )


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """Where a budget stands in its window: the limits with all raises, what was used, and what is
    kept for sessions that have begun and not used it yet.
    """

    applied: AppliedBudget
    window: BudgetWindow
    limit_usd: Decimal | None
    limit_tokens: int | None
    used: BudgetUse
    reserved: BudgetUse = BudgetUse()

    @property
    def level(self) -> BudgetLevel:
        """How far it is used up. With money that nobody knows a person is told early."""
        parts = self._parts()
        if any(used >= limit for used, limit in parts):
            return BudgetLevel.EXCEEDED
        mark = Decimal(str(self.applied.budget.warn_at))
        near = any(used >= limit * mark for used, limit in parts)
        return BudgetLevel.WARNED if near or self.is_partly_unknown else BudgetLevel.WITHIN

    @property
    def is_partly_unknown(self) -> bool:
        """Whether it limits money of which only a part is known."""
        return self.limit_usd is not None and self.used.unpriced > 0

    @property
    def within_budget(self) -> bool:
        """Whether something is left."""
        return self.level is not BudgetLevel.EXCEEDED

    @property
    def remaining_usd(self) -> Decimal | None:
        """The money that is left, never less than nothing; None where money is not limited."""
        return None if self.limit_usd is None else max(NOTHING, self.limit_usd - self.used.usd)

    @property
    def remaining_tokens(self) -> int | None:
        """The same of tokens."""
        return None if self.limit_tokens is None else max(0, self.limit_tokens - self.used.tokens)

    @property
    def percent_used(self) -> float:
        """Of money or tokens, whichever is further; a limit of 0 is used up."""
        parts = (used / limit if limit else Decimal(1) for used, limit in self._parts())
        return float(round(max(parts, default=NOTHING) * 100, 1))

    def admits(self, more: BudgetUse) -> bool:
        """Whether so much more fits, beside what is kept for others."""
        if not self.within_budget:
            return False
        money = self.used.usd + self.reserved.usd + more.usd
        tokens = self.used.tokens + self.reserved.tokens + more.tokens
        return (self.limit_usd is None or money <= self.limit_usd) and (
            self.limit_tokens is None or tokens <= self.limit_tokens
        )

    def _parts(self) -> list[tuple[Decimal, Decimal]]:
        """What was used beside its limit, for each limit there is."""
        pairs = (
            (self.used.usd, self.limit_usd),
            (Decimal(self.used.tokens), self.limit_tokens),
        )
        return [(used, Decimal(limit)) for used, limit in pairs if limit is not None]

    @property
    def key(self) -> str:
        """Which limit it is that was reached: another one after a raise."""
        return f"{self.window.key}:{self.limit_usd}:{self.limit_tokens}"

    @property
    def spelled(self) -> str:
        """How much was used of how much: ``at least $4.10 of $5``."""
        parts = []
        if self.limit_usd is not None:
            least = "at least " if self.used.unpriced else ""
            parts.append(f"{least}{used_of(self.used.usd, self.limit_usd)}")
        if self.limit_tokens is not None:
            parts.append(f"{self.used.tokens} of {self.limit_tokens} tokens")
        return " and ".join(parts)

    @property
    def reset(self) -> str:
        """When it begins anew, in words."""
        until = self.window.until
        return (
            "it never begins anew"
            if until is None
            else f"it begins anew at {until:%Y-%m-%d %H:%M} UTC"
        )


def standing(
    one: AppliedBudget,
    window: BudgetWindow,
    spent: Spent,
    raises: Iterable[BudgetRaise] = (),
    reserved: BudgetUse = BudgetUse(),
) -> BudgetStanding:
    """Where a budget stands after what was spent in its window and the raises that are good for
    it.
    """
    budget = one.budget
    good = [each for each in raises if (each.budget, each.good_for) == (one.name, window.key)]
    usd = sum((each.usd or NOTHING for each in good), NOTHING)
    tokens = sum(each.tokens or 0 for each in good)
    return BudgetStanding(
        one,
        window,
        None if budget.limit_usd is None else budget.limit_usd + usd,
        None if budget.limit_tokens is None else budget.limit_tokens + tokens,
        use_of(spent, count_plan=budget.count_plan),
        reserved,
    )


def gravest(found: Iterable[BudgetStanding]) -> BudgetStanding | None:
    """Of the budgets that are used up and hold sessions one that ends them, then the one that lasts
    longest.
    """
    reached = [
        at
        for at in found
        if not at.within_budget and at.applied.budget.on_exceed is not OnExceed.WARN
    ]
    return max(reached, key=_gravity, default=None)


def _gravity(at: BudgetStanding) -> tuple[bool, bool, float]:
    ends, until = at.applied.budget.on_exceed is OnExceed.KILL, at.window.until
    return ends, until is None, 0.0 if until is None else until.timestamp()
