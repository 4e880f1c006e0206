"""What may still be used runs down as the books will have it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed, PriceOverride
from ennio.model.codec import dumps, loads
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.headroom import Countdown, Headroom, SessionHeadroom
from ennio.policy.budgets.standing import BudgetStanding, standing
from ennio.policy.budgets.windows import window

NOW = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
PRICES = (PriceOverride("m", Decimal(10), Decimal(20)),)


def at(
    scope: BudgetScope = BudgetScope.GLOBAL,
    subject: str = "",
    *,
    usd: int | None = None,
    tokens: int | None = None,
    period: BudgetPeriod = BudgetPeriod.TOTAL,
    **more: bool | OnExceed,
) -> BudgetStanding:
    """A budget of which nothing is used."""
    limit = None if usd is None else Decimal(usd)
    budget = Budget(scope, limit, period, limit_tokens=tokens, **more)  # type: ignore[arg-type]
    return standing(AppliedBudget(budget, subject), window(period, NOW), {})


def counting(
    *standings: BudgetStanding, billing: Billing | None = Billing.METERED, sessions: int = 1
) -> Countdown:
    """All of the sessions are held by all of the budgets; it was written down and read again."""
    names = tuple(one.applied.name for one in standings)
    held = {f"s-{number}": SessionHeadroom(0, billing, names) for number in range(sessions)}
    return Countdown(loads(Headroom, dumps(Headroom(standings, held, PRICES))))


def used(given: int, model: str = "m", at: datetime = NOW) -> RequestUsage:
    return RequestUsage("r", at, Tokens(given), model)


def test_it_is_used_up_when_the_limit_is_reached_and_not_before() -> None:
    countdown = counting(at(tokens=100))
    countdown.take("s-0", used(99))
    assert countdown.reached("s-0", NOW) is None
    countdown.take("s-0", used(1))
    reached = countdown.reached("s-0", NOW)
    assert reached is not None
    assert reached.spelled == "100 of 100 tokens"


def test_what_several_share_is_used_up_for_all_of_them_and_for_nobody_else() -> None:
    countdown = counting(at(tokens=100), sessions=2)
    countdown.take("s-0", used(60))
    countdown.take("s-1", used(60))
    assert [bool(countdown.reached(one, NOW)) for one in ("s-0", "s-1", "s-9")] == [
        True,
        True,
        False,
    ]
    countdown.take("s-9", used(60))


def test_what_one_uses_that_is_let_go_on_counts_for_the_others() -> None:
    shared = at(tokens=10)
    names = (shared.applied.name,)
    free = SessionHeadroom(0, None, names, held=False)
    sessions = {"s-0": free, "s-1": SessionHeadroom(0, None, names)}
    countdown = Countdown(Headroom((shared,), sessions))
    countdown.take("s-0", used(10))
    assert [bool(countdown.reached(one, NOW)) for one in sessions] == [False, True]


def test_money_counts_as_the_configuration_prices_it_and_unknown_money_does_not() -> None:
    countdown = counting(at(usd=1))
    countdown.take("s-0", used(10**9, "nobody-knows-it"))
    countdown.take("s-0", used(99_999))
    assert countdown.reached("s-0", NOW) is None
    countdown.take("s-0", used(1))
    reached = countdown.reached("s-0", NOW)
    assert reached is not None
    assert reached.spelled == "at least $1.00 of $1.00"


@pytest.mark.parametrize(
    ("billing", "count_plan", "stops"),
    [
        (Billing.METERED, False, True),
        (Billing.PLAN, False, False),
        (Billing.PLAN, True, True),
        (None, False, False),
    ],
)
def test_money_counts_only_where_the_books_would_count_it(
    billing: Billing | None, count_plan: bool, stops: bool
) -> None:
    countdown = counting(at(usd=1, count_plan=count_plan), billing=billing)
    countdown.take("s-0", used(10**6))
    assert (countdown.reached("s-0", NOW) is not None) is stops


def test_tokens_count_whoever_pays() -> None:
    countdown = counting(at(tokens=10), billing=None)
    countdown.take("s-0", used(10))
    assert countdown.reached("s-0", NOW) is not None


def test_once_its_window_is_over_a_budget_stops_nobody() -> None:
    countdown = counting(at(tokens=10, period=BudgetPeriod.DAILY))
    countdown.take("s-0", used(10))
    assert countdown.reached("s-0", NOW) is not None
    assert countdown.reached("s-0", NOW + timedelta(minutes=1)) is None


def test_what_was_used_before_its_window_does_not_count() -> None:
    countdown = counting(at(tokens=10, period=BudgetPeriod.DAILY))
    countdown.take("s-0", used(10, at=NOW - timedelta(days=1)))
    assert countdown.reached("s-0", NOW) is None


def test_one_that_only_warns_stops_nobody_and_of_several_the_gravest_is_told() -> None:
    countdown = counting(
        at(tokens=10, on_exceed=OnExceed.WARN),
        at(BudgetScope.SESSION, "s-0", tokens=20, period=BudgetPeriod.DAILY),
        at(BudgetScope.PROJECT, "p", tokens=20, on_exceed=OnExceed.KILL),
    )
    countdown.take("s-0", used(10))
    assert countdown.reached("s-0", NOW) is None
    countdown.take("s-0", used(10))
    reached = countdown.reached("s-0", NOW)
    assert reached is not None
    assert reached.applied.name == "project:p:total"
