"""The windows that budgets count in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.money import BudgetPeriod
from ennio.policy.budgets.windows import WHOLE, window

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("period", "at", "since", "until"),
    [
        (BudgetPeriod.DAILY, "2026-11-26T23:59:59.999+00:00", "2026-11-26", "2026-11-27"),
        (BudgetPeriod.DAILY, "2026-11-27T00:00:00+00:00", "2026-11-27", "2026-11-28"),
        (BudgetPeriod.DAILY, "2026-11-27T00:30:00+01:00", "2026-11-26", "2026-11-27"),
        (BudgetPeriod.DAILY, "2028-02-29T12:00:00+00:00", "2028-02-29", "2028-03-01"),
        (BudgetPeriod.MONTHLY, "2028-02-29T12:00:00+00:00", "2028-02-01", "2028-03-01"),
        (BudgetPeriod.MONTHLY, "2027-02-28T23:59:00+00:00", "2027-02-01", "2027-03-01"),
        (BudgetPeriod.MONTHLY, "2026-12-31T12:00:00+00:00", "2026-12-01", "2027-01-01"),
        (BudgetPeriod.MONTHLY, "2026-11-30T23:00:00-02:00", "2026-12-01", "2027-01-01"),
        (BudgetPeriod.MONTHLY, "2100-02-28T12:00:00+00:00", "2100-02-01", "2100-03-01"),
    ],
)
def test_days_and_months_are_those_of_utc(
    period: BudgetPeriod, at: str, since: str, until: str
) -> None:
    found = window(period, datetime.fromisoformat(at))
    assert found.since == datetime.fromisoformat(since).replace(tzinfo=UTC)
    assert found.until == datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert since.startswith(found.key)


@given(MOMENTS, st.sampled_from([BudgetPeriod.DAILY, BudgetPeriod.MONTHLY]))
def test_every_moment_lies_in_one_window_and_the_next_begins_where_it_ends(
    at: datetime, period: BudgetPeriod
) -> None:
    found = window(period, at)
    assert found.since is not None
    assert found.until is not None
    assert found.since <= at < found.until
    assert window(period, found.since) == found
    assert window(period, found.until - timedelta(microseconds=1)) == found
    following = window(period, found.until)
    assert following.since == found.until
    assert following.key > found.key


@given(MOMENTS)
def test_what_never_begins_anew_has_one_window(at: datetime) -> None:
    assert window(BudgetPeriod.TOTAL, at) == WHOLE
