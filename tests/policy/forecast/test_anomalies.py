"""What is out of the ordinary for a group, and what is not."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.forecast import AnomalyMetric, FinishedTask, TaskGroup, TaskKind
from ennio.policy.forecast import LEAST, limits
from ennio.policy.forecast.anomalies import FLOORS, fence
from tests.policy.forecast.pasts import KIND, kinds, past, task, tasks

FLOOR = Decimal(100)
values = st.lists(st.integers(0, 10**7), min_size=LEAST, max_size=80)


def limit_of(metric: AnomalyMetric, history: list[FinishedTask]) -> Decimal | None:
    return next((one.limit for one in limits(KIND, history) if one.metric is metric), None)


@given(kinds, st.lists(tasks, max_size=60))
def test_nothing_below_a_floor_is_and_nothing_where_too_few_are_known(
    kind: TaskKind, history: list[FinishedTask]
) -> None:
    for one in limits(kind, history):
        assert one.limit >= FLOORS[one.metric]
        assert one.n >= LEAST
        assert one.group.holds(kind)


@given(values)
def test_the_usual_is_never_out_of_the_ordinary(past_values: list[int]) -> None:
    limit = fence(past_values, FLOOR)
    beyond = sum(value > limit for value in past_values)
    assert beyond <= len(past_values) / 4 + 1


@given(values, st.integers(2, 1000))
def test_it_grows_with_what_is_usual(past_values: list[int], unit: int) -> None:
    more = [value * unit for value in past_values]
    assert fence(more, FLOOR) >= fence(past_values, FLOOR)
    assert fence(more, FLOOR * unit) == pytest.approx(fence(past_values, FLOOR) * unit)


@given(st.lists(st.integers(1000, 2000), min_size=12, max_size=40), st.integers(10**6, 10**12))
def test_a_runaway_of_the_past_makes_nobody_blind_for_the_next(
    usual: list[int], runaway: int
) -> None:
    assert fence([*usual, runaway, runaway], FLOOR) < 10_000


def test_where_all_were_alike_it_is_twice_as_much() -> None:
    assert fence([5000] * 10, FLOOR) == 10_000
    assert fence([0] * 10, FLOOR) == FLOOR


def test_one_in_some_hundred_of_the_usual_ones_is_beyond_it() -> None:
    chance = random.Random(3)
    drawn = [int(10_000 * chance.lognormvariate(0, 1)) for _ in range(4000)]
    limit = fence(drawn[:400], FLOOR)
    beyond = sum(value > limit for value in drawn)
    assert 0 < beyond / len(drawn) < 0.01


def test_each_metric_says_from_whom_it_was_learned() -> None:
    history = [*past(9, silence=None), task(200_000)]
    found = {one.metric: one for one in limits(KIND, history)}
    assert set(found) == {AnomalyMetric.TOKENS, AnomalyMetric.COST}, "nine silences are too few"
    cost = found[AnomalyMetric.COST]
    assert (cost.n, cost.group.project_id, cost.median) == (10, "shop", Decimal("5.5"))
    assert limit_of(AnomalyMetric.COST, past(9)) is None


def test_a_metric_of_which_others_know_more_is_learned_from_them() -> None:
    strangers = past(12, TaskKind("docs", "codex"), silence=600)
    found = {one.metric: one for one in limits(KIND, [*past(12, silence=None), *strangers])}
    assert found[AnomalyMetric.SILENCE].group == TaskGroup()
    assert found[AnomalyMetric.SILENCE].limit == 1200
    assert found[AnomalyMetric.TOKENS].group.project_id == "shop"
