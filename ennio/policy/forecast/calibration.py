"""How well forecasts did: each is held against what became of its session. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ennio.model.forecast import FinishedTask, MoneyQuantiles, Quantiles, TaskForecast
from ennio.policy.forecast.groups import LEAST
from ennio.policy.forecast.quantiles import HALF, NINE_TENTHS, TENTH, quantile

PARTS = (TENTH, HALF, NINE_TENTHS)
_Three = tuple[Decimal, Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class MetricCalibration:
    """How well one thing was forecast, of ``n`` sessions that have ended; None for too few.

    ``within_percent`` of them came to something between p10 and p90: 80 is right, less is too sure,
    more is too cautious. ``loss`` is the mean pinball loss of the three quantiles in the unit of
    the metric; ``reference`` is that of those who knew beforehand how they would all end on the
    whole, but not which how. Of ``success`` both are Brier scores, from 0 (right) to 1.
    """

    metric: str
    n: int
    within_percent: int | None = None
    loss: float | None = None
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """How well everything was forecast; ``least`` sessions it takes to say so."""

    metrics: tuple[MetricCalibration, ...]
    least: int


def calibration(told: Sequence[tuple[TaskForecast, FinishedTask]]) -> CalibrationReport:
    """Hold what was said against what became of it."""
    return CalibrationReport(tuple(_metrics(told)), LEAST)


def _metrics(told: Sequence[tuple[TaskForecast, FinishedTask]]) -> Iterator[MetricCalibration]:
    yield _of_range("cost_usd", told, lambda of: of.cost.quantiles, lambda one: one.cost_usd)
    yield _of_range("seconds", told, lambda said: said.seconds.quantiles, lambda one: one.seconds)
    yield _of_range("tokens", told, lambda said: said.tokens.quantiles, lambda one: one.tokens)
    yield _of_success(told)


def _of_range(
    metric: str,
    told: Sequence[tuple[TaskForecast, FinishedTask]],
    said: Callable[[TaskForecast], Quantiles | MoneyQuantiles | None],
    became: Callable[[FinishedTask], Decimal | int | None],
) -> MetricCalibration:
    pairs = [
        (_three(range_), Decimal(end))
        for forecast, task in told
        if (range_ := said(forecast)) is not None and (end := became(task)) is not None
    ]
    if len(pairs) < LEAST:
        return MetricCalibration(metric, len(pairs))
    within = sum(three[0] <= end <= three[2] for three, end in pairs)
    ends = [end for _, end in pairs]
    best = (quantile(ends, TENTH), quantile(ends, HALF), quantile(ends, NINE_TENTHS))
    return MetricCalibration(
        metric,
        len(pairs),
        _percent(within, len(pairs)),
        _mean([pinball(three, end) for three, end in pairs]),
        _mean([pinball(best, end) for end in ends]),
    )


def _of_success(told: Sequence[tuple[TaskForecast, FinishedTask]]) -> MetricCalibration:
    pairs = [
        (Decimal(range_.p50) / 100, Decimal(task.succeeded))
        for forecast, task in told
        if (range_ := forecast.success.quantiles) is not None
    ]
    if len(pairs) < LEAST:
        return MetricCalibration("success", len(pairs))
    base = sum((end for _, end in pairs), Decimal(0)) / len(pairs)
    return MetricCalibration(
        "success",
        len(pairs),
        None,
        _mean([(share - end) ** 2 for share, end in pairs]),
        _mean([(base - end) ** 2 for _, end in pairs]),
    )


def pinball(three: _Three, end: Decimal) -> Decimal:
    """What three quantiles lose by an end: the further it is from each, on the less likely side of
    it the more.
    """
    losses = (
        (end - value) * part if end >= value else (value - end) * (1 - part)
        for part, value in zip(PARTS, three, strict=True)
    )
    return sum(losses, Decimal(0)) / len(PARTS)


def _three(said: Quantiles | MoneyQuantiles) -> _Three:
    if isinstance(said, MoneyQuantiles):
        return said.p10_usd, said.p50_usd, said.p90_usd
    return Decimal(said.p10), Decimal(said.p50), Decimal(said.p90)


def _percent(many: int, of: int) -> int:
    return round(Decimal(100 * many) / of)


def _mean(losses: Sequence[Decimal]) -> float:
    """A statistic, and no money: it is nobody's to pay."""
    return round(float(sum(losses, Decimal(0)) / len(losses)), 6)
