"""How well forecasts did is measured, and being too sure is found out."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.forecast import FinishedTask, TaskForecast
from ennio.plugins.predictor.history import HistoryPredictor
from ennio.policy.forecast import LEAST, calibration
from ennio.policy.forecast.calibration import MetricCalibration, pinball
from tests.policy.forecast.pasts import KIND, past, task


def said(history: list[FinishedTask]) -> TaskForecast:
    told = HistoryPredictor()
    return TaskForecast(
        KIND,
        told.success(KIND, history),
        told.duration(KIND, history),
        told.tokens(KIND, history),
        told.cost(KIND, history),
        LEAST,
    )


def measured(told: list[tuple[TaskForecast, FinishedTask]]) -> dict[str, MetricCalibration]:
    return {one.metric: one for one in calibration(told).metrics}


def test_fewer_than_ten_that_were_forecast_and_have_ended_are_too_few() -> None:
    forecast = said(past(20))
    found = measured([(forecast, task(10))] * 9)
    assert {one.n for one in found.values()} == {9}
    assert {one.loss for one in found.values()} == {None}


def test_what_was_not_forecast_and_what_is_not_known_does_not_count() -> None:
    nothing, forecast = said(past(5)), said(past(20))
    told = [(nothing, task(10))] * 20 + [(forecast, task(10, cost_usd=None))] * 12
    found = measured(told)
    assert (found["cost_usd"].n, found["seconds"].n) == (0, 12)


def test_a_forecaster_that_learns_from_those_alike_is_right_eight_times_in_ten() -> None:
    chance = random.Random(11)
    drawn = [task(1 + int(1000 * chance.lognormvariate(0, 1))) for _ in range(620)]
    told = [(said(drawn[max(0, n - 60) : n]), drawn[n]) for n in range(20, 620)]
    found = measured(told)["seconds"]
    assert found.n == 600
    assert found.within_percent is not None
    assert 76 <= found.within_percent <= 84
    assert found.loss is not None
    assert found.reference is not None
    assert found.loss < 1.2 * found.reference


def test_a_forecaster_that_is_too_sure_is_found_out() -> None:
    sure = said([task(500 + number % 3) for number in range(30)])
    found = measured([(sure, task(number)) for number in range(1, 1000, 10)])
    assert found["cost_usd"].within_percent is not None
    assert found["cost_usd"].within_percent < 10
    assert found["cost_usd"].loss is not None
    assert found["cost_usd"].loss > (found["cost_usd"].reference or 0)


def test_a_share_is_measured_by_how_far_it_was_from_what_happened() -> None:
    certain = said(past(200))
    right = measured([(certain, task(1))] * 10)["success"].loss
    wrong = measured([(certain, task(1, succeeded=False))] * 10)["success"].loss
    assert right is not None
    assert wrong is not None
    assert right < 0.01
    assert 0.9 < wrong <= 1


numbers = st.integers(0, 10**9).map(Decimal)


@given(st.lists(numbers, min_size=3, max_size=3).map(sorted), numbers)
def test_nothing_is_lost_by_who_knew_it_and_something_by_everybody_else(
    three: list[Decimal], end: Decimal
) -> None:
    low, middle, high = three
    loss = pinball((low, middle, high), end)
    assert loss >= 0
    assert (loss == 0) == (low == middle == high == end)
