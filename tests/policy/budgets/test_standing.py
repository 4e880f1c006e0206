"""How far budgets are used up, held against a computation of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed
from ennio.model.usage import Billing, Tokens
from ennio.policy.budgets import words
from ennio.policy.budgets.applied import AppliedBudget, applied, own_name
from ennio.policy.budgets.reserving import (
    LikelyCost,
    expected,
    forecast_as,
    likely_cost,
    outstanding,
)
from ennio.policy.budgets.standing import (
    BudgetLevel,
    BudgetRaise,
    BudgetStanding,
    BudgetUse,
    standing,
)
from ennio.policy.budgets.windows import WHOLE, window
from ennio.policy.ledger.spending import Spending

BEGIN = datetime(2028, 2, 28, tzinfo=UTC)  # a leap year
EVERYBODY = AppliedBudget(Budget(BudgetScope.GLOBAL, Decimal(5)), "")


def spent(
    usd: str, tokens: int = 0, *, unpriced: int = 0, plan: str = "0"
) -> Mapping[Billing, Spending]:
    return {
        Billing.METERED: Spending(1, unpriced, Tokens(tokens), Decimal(usd)),
        Billing.PLAN: Spending(1, 0, Tokens(7), listed=Decimal(plan)),
    }


def at(budget: Budget, used: Mapping[Billing, Spending]) -> BudgetStanding:
    return standing(AppliedBudget(budget, ""), WHOLE, used)


def of(usd: str | None = None, tokens: int | None = None, *, count_plan: bool = False) -> Budget:
    limit = None if usd is None else Decimal(usd)
    return Budget(BudgetScope.GLOBAL, limit, limit_tokens=tokens, count_plan=count_plan)


@pytest.mark.parametrize(
    ("budget", "used", "level", "percent"),
    [
        (of("5"), spent("3.99"), BudgetLevel.WITHIN, 79.8),
        (of("5"), spent("4"), BudgetLevel.WARNED, 80.0),
        (of("5"), spent("4.999999999999"), BudgetLevel.WARNED, 100.0),
        (of("5"), spent("5"), BudgetLevel.EXCEEDED, 100.0),
        (of("0"), {}, BudgetLevel.EXCEEDED, 100.0),
        (of(tokens=0), {}, BudgetLevel.EXCEEDED, 100.0),
        (of("5"), spent("1", plan="100"), BudgetLevel.WITHIN, 20.0),
        (of("5", count_plan=True), spent("1", plan="100"), BudgetLevel.EXCEEDED, 2020.0),
        (of(tokens=107), spent("0", 100, plan="1"), BudgetLevel.EXCEEDED, 100.0),
        (of("5", tokens=1000), spent("1", 900), BudgetLevel.WARNED, 90.7),
    ],
)
def test_a_budget_is_used_up_to_what_counts_of_it(
    budget: Budget, used: Mapping[Billing, Spending], level: BudgetLevel, percent: float
) -> None:
    found = at(budget, used)
    assert (found.level, found.percent_used) == (level, percent)
    assert found.within_budget == (level is not BudgetLevel.EXCEEDED)


def test_money_that_nobody_knows_is_never_taken_for_none() -> None:
    found = at(of("5"), spent("0", 10, unpriced=2))
    assert found.level is BudgetLevel.WARNED
    assert found.spelled == "at least $0.00 of $5.00"
    assert "what 2 requests cost is not known" in words.headline(found, found.level)
    assert at(of("5"), spent("5", unpriced=2)).level is BudgetLevel.EXCEEDED
    assert at(of(tokens=100), spent("0", 10, unpriced=2)).level is BudgetLevel.WITHIN


def test_a_refusal_names_the_budget_what_is_used_the_hour_and_the_way_out() -> None:
    daily = AppliedBudget(Budget(BudgetScope.PROJECT, Decimal(5), BudgetPeriod.DAILY), "shop")
    found = standing(daily, window(BudgetPeriod.DAILY, BEGIN), spent("5.02"))
    assert words.refusal(found, BudgetUse()) == (
        "budget project:shop:daily is used up: $5.02 of $5.00; it begins anew at 2028-02-29 00:00 "
        "UTC; more is given by: ennio budget raise project:shop:daily --by USD"
    )


def test_one_for_each_that_is_too_small_for_any_is_changed_for_all_of_them() -> None:
    daily = Budget(
        BudgetScope.SESSION,
        Decimal(5),
        BudgetPeriod.DAILY,
        on_exceed=OnExceed.KILL,
        warn_at=0.5,
        limit_tokens=0,
        count_plan=True,
    )
    found = standing(AppliedBudget(daily, "s-1"), window(BudgetPeriod.DAILY, BEGIN), {})
    used = "budget session:each:daily is used up: $0.00 of $5.00 and 0 of 0 tokens; "
    assert words.refusal_for_each(found, BudgetUse(), None).startswith(used)
    assert words.refusal_for_each(found, BudgetUse(), None).endswith(
        "; more is given by: ennio budget set session --period daily --limit USD --tokens NUMBER "
        "--on-exceed kill --warn-at 0.5 --count-plan"
    )
    assert words.refusal_for_each(found, BudgetUse(), "ennio.yaml:3").endswith(
        "; more is given by: limit_usd and limit_tokens in ennio.yaml:3, then: ennio reload"
    )


def test_a_notice_rounds_as_the_table_does_and_shows_that_the_limit_is_exceeded() -> None:
    for used, said in (("0.323456789012", "$0.32 of $0.30"), ("0.300001", "$0.300001 of $0.30")):
        told = words.headline(at(of("0.3"), spent(used)), BudgetLevel.EXCEEDED)
        assert f"is used up: {said}" in told


def test_who_is_named_has_a_budget_of_their_own_in_place_of_the_one_for_each() -> None:
    each = Budget(BudgetScope.PROJECT, Decimal(5))
    shop = Budget(BudgetScope.PROJECT, Decimal(50), id="shop")
    daily = Budget(BudgetScope.PROJECT, Decimal(1), BudgetPeriod.DAILY)
    session = Budget(BudgetScope.SESSION, Decimal(2))
    everybody = Budget(BudgetScope.GLOBAL, Decimal(100), BudgetPeriod.MONTHLY)
    budgets = (each, shop, daily, session, everybody)
    assert [one.name for one in applied(budgets, "shop", "s-1")] == [
        "session:s-1:total",
        "project:shop:daily",
        "project:shop:total",
        "global:monthly",
    ]
    assert [one.budget for one in applied(budgets, "shop", "s-1")][2] is shop
    assert [one.budget for one in applied(budgets, "other", "s-1")][2] is each
    assert [own_name(one) for one in budgets[:3]] == [
        "project:each:total",
        "project:shop:total",
        "project:each:daily",
    ]


# --- what is kept for sessions --------------------------------------------------------------------


def test_what_is_kept_for_a_session_is_the_median_of_those_that_finished() -> None:
    finished = [spent(usd, 10 * int(usd)) for usd in ("1", "2", "3", "40", "50")]
    cost = likely_cost(finished)
    assert (cost.billed_usd, cost.tokens) == (Decimal(3), 37)
    assert likely_cost(finished[:4]) == LikelyCost()


def test_a_forecast_is_shared_between_who_pays_as_before() -> None:
    own = LikelyCost(Decimal(1), Decimal(3), 9)
    assert forecast_as(Decimal(8), own) == LikelyCost(Decimal(2), Decimal(6), 9)
    planned = LikelyCost(Decimal(0), Decimal(0), 9)
    assert forecast_as(Decimal(8), planned) == planned
    assert forecast_as(Decimal(8), LikelyCost()) == LikelyCost(Decimal(8))


@pytest.mark.parametrize(("limit", "kept"), [("5", "0.5"), ("100", "1"), ("0", "0")])
def test_of_a_session_of_which_nothing_can_be_said_little_is_kept(limit: str, kept: str) -> None:
    assert expected(LikelyCost(), at(of(limit), {})).usd == Decimal(kept)


def test_what_is_kept_is_used_up_by_what_the_session_uses() -> None:
    cost, found = LikelyCost(Decimal(2), Decimal(0), 100), at(of("10", tokens=1000), {})
    assert outstanding(cost, {}, found) == BudgetUse(Decimal(2), 100)
    metered = {Billing.METERED: Spending(1, 0, Tokens(30), Decimal("0.5"))}
    assert outstanding(cost, metered, found) == BudgetUse(Decimal("1.5"), 70)
    planned = {Billing.PLAN: Spending(1, 0, Tokens(30), listed=Decimal(9))}
    assert outstanding(cost, planned, found) == BudgetUse(Decimal(0), 70)


def test_a_spawn_is_admitted_beside_what_is_kept_for_others() -> None:
    found = BudgetStanding(
        EVERYBODY, WHOLE, Decimal(5), None, BudgetUse(Decimal(3)), BudgetUse(Decimal(1))
    )
    assert found.admits(BudgetUse(Decimal(1)))
    assert not found.admits(BudgetUse(Decimal("1.000000000001")))
    assert "has no room for another session" in words.refusal(found, BudgetUse(Decimal(2)))


def test_tokens_are_many_and_an_amount_of_money_is_one() -> None:
    of_tokens = replace(at(of("10", tokens=4000), {}), limit_usd=None, used=BudgetUse(tokens=3000))
    kept = replace(of_tokens, reserved=BudgetUse(tokens=900))
    told = words.refusal(kept, BudgetUse(tokens=500))
    assert ": 3000 of 4000 tokens are used, 900 tokens more are kept for sessions that" in told
    assert words.left(of_tokens).startswith("1000 tokens are left of the budget ")
    of_money = replace(of_tokens, limit_usd=Decimal(5), limit_tokens=None)
    assert ": $0.00 of $5.00 is used, and one more" in words.refusal(
        of_money, BudgetUse(Decimal(9))
    )
    assert words.left(of_money).startswith("$5.00 is left of the budget ")


# --- whatever happens, in whatever order ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    hour: int
    cents: int | None
    tokens: int
    billing: Billing


@dataclass(frozen=True, slots=True)
class More:
    hour: int
    cents: int


HOURS = st.integers(0, 24 * 70)
HAPPENINGS = st.lists(
    st.one_of(
        st.builds(
            Use,
            HOURS,
            st.none() | st.integers(0, 300),
            st.integers(0, 500),
            st.sampled_from(Billing),
        ),
        st.builds(More, HOURS, st.integers(1, 400)),
    ),
    max_size=30,
)


@given(HAPPENINGS, st.integers(0, 900), st.sampled_from(BudgetPeriod), st.booleans(), HOURS)
def test_any_uses_raises_and_windows_come_to_what_a_sum_of_its_own_does(
    happenings: list[Use | More], cents: int, period: BudgetPeriod, count_plan: bool, hour: int
) -> None:
    budget = Budget(BudgetScope.GLOBAL, Decimal(cents) / 100, period, count_plan=count_plan)
    one, now = AppliedBudget(budget, ""), BEGIN + timedelta(hours=hour)
    here = window(period, now)
    raises = [
        BudgetRaise(
            str(number),
            one.name,
            window(period, BEGIN + timedelta(hours=each.hour)).key,
            Decimal(each.cents) / 100,
            None,
            now,
            "me",
        )
        for number, each in enumerate(happenings)
        if isinstance(each, More)
    ]
    sums: dict[Billing, Spending] = {}
    for each in happenings:
        moment = BEGIN + timedelta(hours=each.hour)
        if isinstance(each, Use) and (here.since is None or here.since <= moment < here.until):  # type: ignore[operator]
            money = Decimal(each.cents or 0) / 100
            metered = each.billing is Billing.METERED
            more = Spending(
                1,
                int(each.cents is None),
                Tokens(each.tokens),
                money if metered else Decimal(0),
                Decimal(0) if metered else money,
            )
            sums[each.billing] = sums.get(each.billing, Spending()) + more
    found = standing(one, here, sums, raises)

    # the same in cents, by the calendar
    def same(each: Use | More) -> bool:
        then = BEGIN + timedelta(hours=each.hour)
        return {
            BudgetPeriod.DAILY: then.date() == now.date(),
            BudgetPeriod.MONTHLY: (then.year, then.month) == (now.year, now.month),
            BudgetPeriod.TOTAL: True,
        }[period]

    mine = [each for each in happenings if same(each)]
    uses = [each for each in mine if isinstance(each, Use)]
    counted = [each for each in uses if count_plan or each.billing is Billing.METERED]
    limit = cents + sum(each.cents for each in mine if isinstance(each, More))
    used = sum(each.cents or 0 for each in counted)
    unknown = sum(each.cents is None for each in counted)
    assert found.limit_usd == Decimal(limit) / 100
    assert found.used == BudgetUse(Decimal(used) / 100, sum(each.tokens for each in uses), unknown)
    expect = (
        BudgetLevel.EXCEEDED
        if used >= limit
        else BudgetLevel.WARNED
        if unknown or used * 10 >= limit * 8
        else BudgetLevel.WITHIN
    )
    assert found.level is expect
    assert found.remaining_usd == Decimal(max(0, limit - used)) / 100
