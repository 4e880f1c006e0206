"""Beyond what a session is out of the ordinary for its own group. Pure.

The rule is robust: up to a quarter of the past may be out of the ordinary itself without moving it
far. Tokens, money and silence are spread over powers of ten, so it is the quotient of the quartiles
that counts and not their distance: what is beyond the upper one by more than that quotient to the
power of 1.5 is far outside. Nothing is that is not also twice the median and above a floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from ennio.model.forecast import AnomalyLimit, AnomalyMetric, FinishedTask, TaskKind
from ennio.policy.forecast.groups import LEAST, sample
from ennio.policy.forecast.quantiles import HALF, quantile

FLOORS: Mapping[AnomalyMetric, Decimal] = MappingProxyType(
    {
        AnomalyMetric.TOKENS: Decimal(100_000),
        AnomalyMetric.COST: Decimal(1),
        AnomalyMetric.SILENCE: Decimal(300),
    }
)
"""Tokens, dollars, seconds: so much is never out of the ordinary."""
_QUARTER, _THREE_QUARTERS = Decimal("0.25"), Decimal("0.75")


def _tokens(one: FinishedTask) -> Decimal | None:
    return None if one.tokens is None else Decimal(one.tokens)


def _silence(one: FinishedTask) -> Decimal | None:
    return None if one.silence is None else Decimal(one.silence)


_READ: Mapping[AnomalyMetric, Callable[[FinishedTask], Decimal | None]] = MappingProxyType(
    {
        AnomalyMetric.TOKENS: _tokens,
        AnomalyMetric.COST: lambda one: one.cost_usd,
        AnomalyMetric.SILENCE: _silence,
    }
)


def limits(kind: TaskKind, history: Sequence[FinishedTask]) -> tuple[AnomalyLimit, ...]:
    """The limit of each metric of which enough is known."""
    return tuple(_limits(kind, history))


def _limits(kind: TaskKind, history: Sequence[FinishedTask]) -> Iterator[AnomalyLimit]:
    for metric, read in _READ.items():
        group, values = sample(kind, history, read)
        if len(values) >= LEAST:
            median = quantile(values, HALF)
            yield AnomalyLimit(metric, fence(values, FLOORS[metric]), median, group, len(values))


def fence(values: Sequence[Decimal | int], floor: Decimal) -> Decimal:
    """The limit of some values. What is below a tenth of the floor counts as that: quotients of
    next to nothing say nothing.
    """
    lifted = [max(Decimal(value), floor / 10) for value in values]
    low, high = quantile(lifted, _QUARTER), quantile(lifted, _THREE_QUARTERS)
    spread = high / low
    far = high * spread * spread.sqrt()
    return max(far, 2 * quantile(lifted, HALF), floor)
