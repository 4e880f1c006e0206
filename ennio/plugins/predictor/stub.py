"""A predictor that never has enough to go by."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ennio.model.forecast import (
    AnomalyLimit,
    CostEstimate,
    CostForecast,
    CountForecast,
    FinishedTask,
    TaskGroup,
    TaskKind,
)
from ennio.plugins.registry import PluginContext


class StubPredictor:
    """Says nothing; ``found`` are the limits it gives."""

    name = "stub"

    def __init__(self) -> None:
        self.found: tuple[AnomalyLimit, ...] = ()

    def success(self, _kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.success``."""
        return CountForecast(TaskGroup(), len(history))

    def duration(self, _kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.duration``."""
        return CountForecast(TaskGroup(), len(history))

    def tokens(self, _kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """See ``SessionOutcomePredictor.tokens``."""
        return CountForecast(TaskGroup(), len(history))

    def cost(self, _kind: TaskKind, history: Sequence[FinishedTask]) -> CostForecast:
        """See ``CostPredictor.cost``."""
        return CostForecast(TaskGroup(), len(history))

    def estimate(
        self, _kind: TaskKind, _spent: Decimal, history: Sequence[FinishedTask]
    ) -> CostEstimate:
        """See ``CostPredictor.estimate``."""
        nothing = CostForecast(TaskGroup(), len(history))
        return CostEstimate(nothing, nothing)

    def limits(self, _kind: TaskKind, _history: Sequence[FinishedTask]) -> tuple[AnomalyLimit, ...]:
        """See ``AnomalyDetector.limits``."""
        return self.found


def build(context: PluginContext) -> StubPredictor:
    """The predictor; it has no settings."""
    del context
    return StubPredictor()
