"""Which raises are over once a limit is said anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ennio.config.money import Budget, BudgetPeriod, BudgetScope
from ennio.policy.budgets import words
from ennio.policy.budgets.ending import EndedRaise, ended
from ennio.policy.budgets.standing import BudgetRaise
from ennio.policy.budgets.windows import window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAILY = Budget(BudgetScope.GLOBAL, Decimal(5), BudgetPeriod.DAILY)
SESSIONS = Budget(BudgetScope.SESSION, Decimal(1))
ITS_OWN = Budget(BudgetScope.SESSION, Decimal(9), id="s-2")
SHOP = Budget(BudgetScope.PROJECT, Decimal(1), id="shop")


def _raised(
    name: str, usd: str | None, tokens: int | None = None, good_for: str = "total"
) -> BudgetRaise:
    more = None if usd is None else Decimal(usd)
    return BudgetRaise(f"{name} {usd}", name, good_for, more, tokens, NOW, "me")


RAISES = (
    _raised("session:s-1:total", "5"),
    _raised("session:s-2:total", "7"),
    _raised("session:s-1:daily", "3", good_for="2026-03-01"),
    _raised("project:shop:total", "2"),
    _raised("project:shop:total", "2", 100),
    _raised("project:session:total", "8"),
    _raised("global:daily", "4", good_for="2026-03-01"),
)


@pytest.mark.parametrize(
    ("budget", "over"),
    [
        (SESSIONS, [EndedRaise("session:s-1:total", Decimal(5), None)]),
        (ITS_OWN, [EndedRaise("session:s-2:total", Decimal(7), None)]),
        (SHOP, [EndedRaise("project:shop:total", Decimal(4), 100)]),
        (DAILY, [EndedRaise("global:daily", Decimal(4), None)]),
        (Budget(BudgetScope.GLOBAL, Decimal(1)), []),
        (Budget(BudgetScope.PROJECT, Decimal(1), BudgetPeriod.MONTHLY), []),
    ],
)
def test_those_of_the_budget_are_and_of_one_for_each_those_of_whom_it_holds(
    budget: Budget, over: list[EndedRaise]
) -> None:
    assert list(ended(RAISES, budget, (DAILY, SESSIONS, ITS_OWN, SHOP), NOW)) == over


def test_what_has_ended_ends_once_and_another_window_is_left_alone() -> None:
    before = _raised("global:daily", "4", good_for="2026-03-01")
    assert ended((before, _raised("global:daily", "-4", None, "2026-03-01")), DAILY, (), NOW) == ()
    assert ended((before,), DAILY, (), NOW + timedelta(days=1)) == ()
    assert window(BudgetPeriod.DAILY, NOW).key == before.good_for


def test_of_many_the_first_are_named() -> None:
    over = [
        EndedRaise(f"session:s-{number}:total", Decimal(number), None) for number in range(1, 6)
    ]
    assert words.over(over) == (
        "raises given before are over: session:s-1:total by $1.00, session:s-2:total by $2.00, "
        "session:s-3:total by $3.00, 2 more"
    )
    assert words.over([EndedRaise("global:total", Decimal(5), 100)]) == (
        "raises given before are over: global:total by $5.00 and 100 tokens"
    )
