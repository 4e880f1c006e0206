"""Foretells from what this store's own finished sessions came to; no model is asked.

The closest group that has ten of them answers: alike in project, agent, model and size of task,
then without the size, the model, the agent, the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ennio.model.forecast import (
    AnomalyLimit,
    CostEstimate,
    CostForecast,
    CountForecast,
    FinishedTask,
    MoneyQuantiles,
    TaskGroup,
    TaskKind,
)
from ennio.plugins.registry import PluginContext
from ennio.policy import forecast
from ennio.policy.forecast import LEAST, quantiles, sample


class HistoryPredictor:
    """Counts."""

    name = "history"

    def success(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.success``."""
        group, ends = sample(kind, history, lambda one: one.succeeded)
        n = len(ends)
        return CountForecast(group, n, quantiles.share(sum(ends), n) if n >= LEAST else None)

    def duration(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.duration``."""
        return _counted(*sample(kind, history, lambda one: one.seconds))

    def tokens(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.tokens``."""
        return _counted(*sample(kind, history, lambda one: one.tokens))

    def cost(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CostForecast:
        """See ``CostPredictor.cost``."""
        group, costs = sample(kind, history, lambda one: one.cost_usd)
        return CostForecast(group, len(costs), _money(costs))

    def estimate(
        self, kind: TaskKind, spent: Decimal, history: Sequence[FinishedTask]
    ) -> CostEstimate:
        """See ``CostPredictor.estimate``."""

        def as_much(one: FinishedTask) -> Decimal | None:
            return one.cost_usd if one.cost_usd is not None and one.cost_usd >= spent else None

        group, costs = sample(kind, history, as_much)
        left = _money([cost - spent for cost in costs])
        return CostEstimate(
            CostForecast(group, len(costs), _money(costs)), CostForecast(group, len(costs), left)
        )

    def limits(self, kind: TaskKind, history: Sequence[FinishedTask]) -> tuple[AnomalyLimit, ...]:
        """See ``AnomalyDetector.limits``."""
        return forecast.limits(kind, history)


def _counted(group: TaskGroup, counts: Sequence[int]) -> CountForecast:
    found = quantiles.counts(counts) if len(counts) >= LEAST else None
    return CountForecast(group, len(counts), found)


def _money(costs: Sequence[Decimal]) -> MoneyQuantiles | None:
    return quantiles.money(costs) if len(costs) >= LEAST else None


def build(context: PluginContext) -> HistoryPredictor:
    """The predictor; it has no settings."""
    del context
    return HistoryPredictor()
