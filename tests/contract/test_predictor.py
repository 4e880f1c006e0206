"""What every predictor promises, held against all that are shipped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.machine.home import Home
from ennio.model import codec
from ennio.model.clock import ManualClock
from ennio.model.forecast import FinishedTask, TaskForecast, TaskKind, TaskSize
from ennio.plugins.predictor.interface import Predictor
from ennio.plugins.registry import Registry, installed
from ennio.policy.forecast import LEAST
from tests.policy.forecast.pasts import KIND, MONEY, kinds, past, tasks

ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
histories = st.lists(tasks, max_size=50)


@pytest.fixture(params=installed("predictor"))
def predictor(request: pytest.FixtureRequest, tmp_path: Path) -> Predictor:
    """Every predictor, as the supervisor has it."""
    return Registry(Home(tmp_path), ManualClock()).predictor(request.param)


def answers(predictor: Predictor, kind: TaskKind, history: list[FinishedTask]) -> list[Any]:
    """All that it says before a session starts."""
    asked: list[Callable[[TaskKind, list[FinishedTask]], Any]] = [
        predictor.success,
        predictor.duration,
        predictor.tokens,
        predictor.cost,
    ]
    return [ask(kind, history) for ask in asked]


def test_it_goes_by_its_name(predictor: Predictor) -> None:
    assert predictor.name in installed("predictor")


def test_without_a_past_it_says_so_and_nothing_more(predictor: Predictor) -> None:
    estimate = predictor.estimate(KIND, Decimal(1), [])
    for answer in [*answers(predictor, KIND, []), estimate.total, estimate.remaining]:
        assert (answer.n, answer.quantiles) == (0, None)
    assert predictor.limits(KIND, []) == ()


@ANY
@given(kind=kinds, history=histories)
def test_it_answers_in_quantiles_of_enough_or_not_at_all(
    predictor: Predictor, kind: TaskKind, history: list[FinishedTask]
) -> None:
    for answer in answers(predictor, kind, history):
        assert answer.group.holds(kind)
        if answer.quantiles is not None:
            assert answer.n >= LEAST
            low, middle, high = astuple(answer.quantiles)
            assert low <= middle <= high


@ANY
@given(kind=kinds, history=histories)
def test_the_same_question_has_the_same_answer_and_the_past_stays_as_it_was(
    predictor: Predictor, kind: TaskKind, history: list[FinishedTask]
) -> None:
    handed = tuple(history)
    assert answers(predictor, kind, history) == answers(predictor, kind, history)
    assert predictor.limits(kind, history) == predictor.limits(kind, history)
    assert tuple(history) == handed


@ANY
@given(kind=kinds, spent=MONEY, history=histories)
def test_what_is_to_come_is_the_whole_without_what_was_spent(
    predictor: Predictor, kind: TaskKind, spent: Decimal, history: list[FinishedTask]
) -> None:
    estimate = predictor.estimate(kind, spent, history)
    total, left = estimate.total.quantiles, estimate.remaining.quantiles
    assert (total is None) == (left is None)
    if total is not None and left is not None:
        assert 0 <= left.p10_usd <= left.p50_usd <= left.p90_usd
        assert total.p50_usd == left.p50_usd + spent


def test_what_it_says_can_be_kept_and_read_back(predictor: Predictor) -> None:
    success, seconds, count, cost = answers(predictor, KIND, past(20))
    told = TaskForecast(KIND, success, seconds, count, cost, LEAST)
    assert codec.loads(TaskForecast, codec.dumps(told)) == told


def test_two_thousand_sessions_are_no_burden(predictor: Predictor) -> None:
    sizes = list(TaskSize)
    history = [one for n in range(200) for one in past(10, replace(KIND, size=sizes[n % 3]))]
    begun = time.perf_counter()
    answers(predictor, KIND, history)
    predictor.limits(KIND, history)
    assert time.perf_counter() - begun < 2
