"""Which raises of a budget are over because its limit is said anew, or it is taken away. Pure.

Whoever says a limit means that one, and not what was given to another beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ennio.config.money import Budget, BudgetScope
from ennio.policy.budgets.applied import own_name
from ennio.policy.budgets.standing import BudgetRaise, BudgetUse
from ennio.policy.budgets.windows import window


@dataclass(frozen=True, slots=True)
class EndedRaise:
    """By how much a budget was raised in its window, which is over; ``budget`` is its name."""

    budget: str
    usd: Decimal | None
    tokens: int | None


def ended(
    raises: Iterable[BudgetRaise], budget: Budget, others: Iterable[Budget], now: datetime
) -> tuple[EndedRaise, ...]:
    """What is still raised of a budget in the window of this moment; of one for each, of whomever
    it holds for. ``others`` are all budgets there are: whoever has one of their own is not limited
    by that for each.
    """
    key = window(budget.period, now).key
    own = frozenset(
        one.id for one in others if (one.scope, one.period) == (budget.scope, budget.period)
    )
    sums: dict[str, BudgetUse] = {}
    for each in raises:
        if each.good_for == key and _holds(budget, own, each.budget):
            more = BudgetUse(each.usd or Decimal(0), each.tokens or 0)
            sums[each.budget] = sums.get(each.budget, BudgetUse()) + more
    return tuple(
        EndedRaise(name, use.usd or None, use.tokens or None)
        for name, use in sums.items()
        if use != BudgetUse()
    )


def _holds(budget: Budget, own: frozenset[str | None], name: str) -> bool:
    """Whether a name is that of a budget, or of somebody whom that for each holds."""
    if budget.scope is BudgetScope.GLOBAL or budget.id is not None:
        return name == own_name(budget)
    scope, _, rest = name.partition(":")
    subject, _, period = rest.rpartition(":")
    return (scope, period) == (budget.scope.value, budget.period.value) and subject not in own
