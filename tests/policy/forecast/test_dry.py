"""When a budget runs dry, by the days before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ennio.policy.forecast.dry import LOOKED_AT, DryForecast, past_days, runs_dry, sooner

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = [Decimal(number) for number in range(1, 10)] + [Decimal(5)]
amounts = st.decimals(0, 1000, places=2)


def in_days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def test_it_is_soonest_by_the_dearest_days_and_latest_by_the_cheapest() -> None:
    found = runs_dry(Decimal(50), DAYS, NOW, None)
    assert found.likely == in_days(10)
    assert found.earliest is not None
    assert found.latest is not None
    assert in_days(5) < found.earliest < in_days(6)
    assert in_days(40) < found.latest < in_days(50)


def test_what_begins_anew_before_does_not_run_dry() -> None:
    found = runs_dry(Decimal(50), DAYS, NOW, in_days(8))
    assert found.earliest is not None
    assert (found.likely, found.latest) == (None, None)


def test_nine_days_are_too_few_and_what_is_used_up_is_dry_now() -> None:
    assert runs_dry(Decimal(50), DAYS[:9], NOW, None) == DryForecast(9)
    assert runs_dry(Decimal(0), [], NOW, None) == DryForecast(0, NOW, NOW, NOW)
    idle = runs_dry(Decimal(50), [Decimal(0)] * 12, NOW, None)
    assert idle == DryForecast(12), "days on which nothing is spent use nothing up"


def test_whole_days_count_from_the_first_that_took_anything_and_today_is_none_yet() -> None:
    spent = {"2026-11-20": Decimal(9), "2026-11-19": Decimal(1), "2026-11-16": Decimal(4)}
    assert past_days(spent, NOW) == (4, 0, 0, 1)
    long_ago = past_days({"2026-01-01": Decimal(1), "2026-11-19": Decimal(2)}, NOW)
    assert (len(long_ago), sum(long_ago)) == (LOOKED_AT, 2)
    assert past_days({}, NOW) == ()


def test_of_two_limits_the_one_that_is_reached_first_counts() -> None:
    one, other = DryForecast(12, NOW, None, None), DryForecast(11, in_days(1), in_days(2), None)
    assert sooner(one, other) == DryForecast(12, NOW, in_days(2), None)


@given(amounts, st.lists(amounts, max_size=40), st.none() | st.integers(1, 60))
def test_the_three_are_in_their_order_and_before_it_begins_anew(
    remaining: Decimal, days: list[Decimal], left: int | None
) -> None:
    until = None if left is None else in_days(left)
    found = runs_dry(remaining, days, NOW, until)
    known = [at for at in (found.earliest, found.likely, found.latest) if at is not None]
    assert known == sorted(known)
    assert all(at >= NOW and (until is None or at < until) for at in known)
    if found.latest is not None:
        assert len(known) == 3, "what is dry on cheap days is so on dear ones"


@given(st.lists(amounts, min_size=10, max_size=30), amounts, amounts)
def test_the_more_is_left_the_later_it_runs_dry(
    days: list[Decimal], less: Decimal, more: Decimal
) -> None:
    one, other = (runs_dry(value, days, NOW, None).likely for value in sorted((less, more)))
    if one is not None and other is not None:
        assert one <= other
