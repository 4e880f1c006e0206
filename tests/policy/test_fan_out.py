"""The fullest minute, in whatever order requests are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.usage import Tokens
from ennio.policy.fan_out import (
    LASTS,
    MINUTE,
    Burned,
    FullestMinute,
    burned,
    fullest_minute,
    recent,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _at(seconds: float, tokens: int) -> Burned:
    return Burned(NOON + timedelta(seconds=seconds), tokens)


_REQUESTS = st.lists(st.builds(_at, st.integers(0, 400), st.integers(0, 1000)), max_size=12)


@given(_REQUESTS, st.integers())
def test_it_is_the_most_of_all_minutes_that_end_with_a_request(
    requests: list[Burned], seed: int
) -> None:
    shuffled = list(requests)
    Random(seed).shuffle(shuffled)
    found = fullest_minute(shuffled)
    sums = [
        sum(each.tokens for each in requests if one.at - MINUTE < each.at <= one.at)
        for one in requests
    ]
    assert (found.tokens if found else None) == max(sums, default=None)
    assert found == fullest_minute(requests)


def test_what_was_told_with_too_much_is_taken_back_by_its_entry() -> None:
    assert fullest_minute([_at(0, 900), _at(0, -900), _at(10, 5)]) == FullestMinute(
        5, NOON + timedelta(seconds=10)
    )


def test_a_request_a_minute_later_is_of_another_minute() -> None:
    assert fullest_minute([_at(0, 10), _at(59, 10)]) == FullestMinute(
        20, NOON + timedelta(seconds=59)
    )
    found = fullest_minute([_at(0, 10), _at(60, 10)])
    assert found is not None
    assert found.tokens == 10
    assert fullest_minute([]) is None


def test_what_is_long_over_counts_no_more_and_a_time_to_come_is_now() -> None:
    now = NOON + LASTS + MINUTE
    kept = recent([_at(0, 10), _at(1, 20), _at(10_000, 30)], now)
    assert [(one.tokens, one.at <= now) for one in kept] == [(20, True), (30, True)]


def test_what_is_read_from_a_cache_is_not_counted() -> None:
    assert burned(Tokens(100, 20, 5000, 7, 3)) == 130
