"""Quantiles of a few numbers hold for the next one."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.forecast import Quantiles
from ennio.policy.forecast import quantile, quantiles, share
from ennio.policy.forecast.quantiles import HALF, NINE_TENTHS, TENTH

numbers = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)


@given(numbers)
def test_they_are_in_their_order_and_never_outside_of_what_was_seen(values: list[int]) -> None:
    low, middle, high = (quantile(values, part) for part in (TENTH, HALF, NINE_TENTHS))
    assert min(values) <= low <= middle <= high <= max(values)


@given(numbers, st.randoms())
def test_the_order_in_which_they_were_seen_does_not_matter(
    values: list[int], chance: random.Random
) -> None:
    mixed = list(values)
    chance.shuffle(mixed)
    assert quantiles.counts(mixed) == quantiles.counts(values)


@given(numbers, st.integers(1, 1000))
def test_other_units_give_the_same_answer(values: list[int], unit: int) -> None:
    for part in (TENTH, HALF, NINE_TENTHS):
        assert quantile([value * unit for value in values], part) == quantile(values, part) * unit


@given(numbers, st.integers(0, 10**9))
def test_a_larger_number_makes_none_of_them_smaller(values: list[int], more: int) -> None:
    for part in (TENTH, HALF, NINE_TENTHS):
        assert quantile([*values[1:], values[0] + more], part) >= quantile(values, part)


def test_of_nine_numbers_the_outermost_are_a_tenth_and_nine_tenths() -> None:
    values = [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert quantiles.counts(values) == Quantiles(10, 50, 90)
    assert quantiles.money([Decimal(value) for value in values]).p90_usd == Decimal(90)


def test_eight_in_ten_of_what_comes_next_fall_between_them() -> None:
    chance, within, rounds = random.Random(7), 0, 4000
    for _ in range(rounds):
        *seen, coming = (int(1000 * chance.lognormvariate(0, 1)) for _ in range(11))
        found = quantiles.counts(seen)
        within += found.p10 <= coming <= found.p90
    assert within / rounds == pytest.approx(0.8, abs=0.02)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_within_its_range_and_that_between_nothing_and_all(
    told: tuple[int, int],
) -> None:
    many, of = told
    found = share(many, of)
    assert 0 <= found.p10 <= found.p50 <= found.p90 <= 100
    assert found.p10 - 1 <= 100 * many / of <= found.p90 + 1


def test_the_more_is_known_of_a_share_the_narrower_is_its_range() -> None:
    few, many = share(8, 10), share(800, 1000)
    assert many.p90 - many.p10 < few.p90 - few.p10
    assert share(10, 10).p10 < 100, "ten in ten do not make it certain"
