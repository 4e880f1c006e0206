"""What a session is likely to cost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ennio.model.forecast import FinishedTask, TaskKind
from ennio.policy.forecast.groups import LEAST, sample
from ennio.policy.forecast.quantiles import HALF, quantile


def likely_cost(kind: TaskKind, history: Sequence[FinishedTask]) -> Decimal | None:
    """What half of the sessions like it cost at most, in dollars; None where there are too few.

    This is what a budget reserves for a session that is about to start.
    """
    _, costs = sample(kind, history, lambda one: one.cost_usd)
    return quantile(costs, HALF) if len(costs) >= LEAST else None
