"""Which budgets hold for a session: those of everybody, of its project, and its own. Pure.

A budget that names nobody holds for each project, or each session, by itself. One that names
somebody stands in its place there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ennio.config.money import EACH, Budget, BudgetPeriod, BudgetScope


@dataclass(frozen=True, slots=True)
class AppliedBudget:
    """A budget and the one whose spending it limits here; ``subject`` is empty for everybody."""

    budget: Budget
    subject: str

    @property
    def name(self) -> str:
        """What people and records call it."""
        return budget_name(self.budget.scope, self.subject, self.budget.period)


def budget_name(scope: BudgetScope, subject: str | None, period: BudgetPeriod) -> str:
    """``global:daily``, ``project:my-app:monthly``, ``session:each:total``."""
    if scope is BudgetScope.GLOBAL:
        return f"{scope.value}:{period.value}"
    return f"{scope.value}:{subject or EACH}:{period.value}"


def own_name(budget: Budget) -> str:
    """What a budget is called as it is set, by whom it names."""
    return budget_name(budget.scope, budget.id, budget.period)


def applied(
    budgets: Iterable[Budget], project_id: str, session_id: str | None
) -> tuple[AppliedBudget, ...]:
    """Those that hold for a session of a project, the narrowest first; without a session those
    that one would have that is yet to be.
    """
    subjects = {
        BudgetScope.SESSION: session_id or "",
        BudgetScope.PROJECT: project_id,
        BudgetScope.GLOBAL: "",
    }
    wanted = list(budgets)
    found = [
        AppliedBudget(each, subject)
        for scope, subject in subjects.items()
        for each in _nearest([one for one in wanted if one.scope is scope], subject)
    ]
    return tuple(found)


def _nearest(budgets: Sequence[Budget], subject: str) -> list[Budget]:
    """Of each period the one that names the subject, else the one for each."""
    found = []
    for period in BudgetPeriod:
        by_id = {one.id: one for one in budgets if one.period is period}
        nearest = by_id.get(subject or None, by_id.get(None))
        if nearest is not None:
            found.append(nearest)
    return found
