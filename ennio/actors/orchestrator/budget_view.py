"""What people order of budgets, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self, TypeVar

from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed
from ennio.model.money import NOTHING
from ennio.model.name_field import NameField
from ennio.model.request_fields import (
    AmountField,
    ChoiceField,
    FlagField,
    IdField,
    NumberField,
    PartField,
)
from ennio.policy.budgets.ending import EndedRaise
from ennio.policy.budgets.standing import BudgetLevel, BudgetStanding

N = TypeVar("N", Decimal, int)
_MOST_TOKENS = 10**15


@dataclass(frozen=True, slots=True)
class BudgetOrder:
    """A budget to be set; what it limits is dollars, tokens, or both."""

    scope: Annotated[BudgetScope, ChoiceField(BudgetScope)]
    id: Annotated[str | None, IdField()] = None
    period: Annotated[BudgetPeriod, ChoiceField(BudgetPeriod)] = BudgetPeriod.TOTAL
    limit_usd: Annotated[Decimal | None, AmountField()] = None
    limit_tokens: Annotated[int | None, NumberField(0, _MOST_TOKENS)] = None
    on_exceed: Annotated[OnExceed, ChoiceField(OnExceed)] = OnExceed.PAUSE
    warn_at: Annotated[float, PartField()] = 0.8
    count_plan: Annotated[bool, FlagField()] = False
    by: Annotated[str, NameField(longest=200)] = "a person"

    @property
    def budget(self) -> Budget:
        """The budget."""
        return Budget(
            scope=self.scope,
            limit_usd=self.limit_usd,
            period=self.period,
            id=self.id,
            on_exceed=self.on_exceed,
            warn_at=self.warn_at,
            limit_tokens=self.limit_tokens,
            count_plan=self.count_plan,
        )


@dataclass(frozen=True, slots=True)
class RaiseOrder:
    """How much more there is, in the window that it is."""

    usd: Annotated[Decimal | None, AmountField(above=NOTHING)] = None
    tokens: Annotated[int | None, NumberField(1, _MOST_TOKENS)] = None
    by: Annotated[str, NameField(longest=200)] = "a person"


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A budget and where it stands.

    ``limit`` has the raises in it; ``used`` and ``remaining`` are dollars too, null where dollars
    are not limited. ``used`` is the known part: of ``unpriced_requests`` the money is not known.
    ``used`` and what follows is null for one that names nobody: it holds for each by itself, and
    each of them is listed beside it. ``defined_in`` is the file and line, or ``set``.
    ``ended_raises`` is told by whoever sets it: the raises that are over with the limit before.
    """

    name: str
    scope: BudgetScope
    id: str | None
    period: BudgetPeriod
    on_exceed: OnExceed
    warn_at: float
    count_plan: bool
    defined_in: str
    limit: Decimal | None
    limit_tokens: int | None
    level: BudgetLevel | None = None
    within_budget: bool | None = None
    used: Decimal | None = None
    remaining: Decimal | None = None
    used_tokens: int | None = None
    remaining_tokens: int | None = None
    unpriced_requests: int | None = None
    reserved: Decimal | None = None
    reserved_tokens: int | None = None
    percent_used: float | None = None
    since: datetime | None = None
    resets_at: datetime | None = None
    raised_usd: Decimal | None = None
    raised_tokens: int | None = None
    paused: Sequence[str] = ()
    ended_raises: Sequence[EndedRaise] = ()

    @classmethod
    def of(cls, budget: Budget, name: str, subject: str | None, defined_in: str) -> Self:
        """One that nobody has used yet."""
        return cls(
            name,
            budget.scope,
            subject,
            budget.period,
            budget.on_exceed,
            budget.warn_at,
            budget.count_plan,
            defined_in,
            budget.limit_usd,
            budget.limit_tokens,
        )

    def at(self, found: BudgetStanding, paused: Sequence[str]) -> BudgetView:
        """The same with where it stands."""
        budget, limits_money = found.applied.budget, found.limit_usd is not None
        return replace(
            self,
            limit=found.limit_usd,
            limit_tokens=found.limit_tokens,
            level=found.level,
            within_budget=found.within_budget,
            used=found.used.usd,
            remaining=found.remaining_usd,
            used_tokens=found.used.tokens,
            remaining_tokens=found.remaining_tokens,
            unpriced_requests=found.used.unpriced,
            reserved=found.reserved.usd if limits_money else None,
            reserved_tokens=found.reserved.tokens if found.limit_tokens is not None else None,
            percent_used=found.percent_used,
            since=found.window.since,
            resets_at=found.window.until,
            raised_usd=_more(found.limit_usd, budget.limit_usd),
            raised_tokens=_more(found.limit_tokens, budget.limit_tokens),
            paused=paused,
        )


def _more(now: N | None, before: N | None) -> N | None:
    return None if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """Whether an amount fits into every budget of a project; the rest is that of the one that has
    least left, null where no budget holds.
    """

    within_budget: bool
    used: Decimal | None
    limit: Decimal | None
    remaining: Decimal | None
    percent_used: float | None
    budget: str | None
    reason: str | None
    budgets: Sequence[BudgetView]
