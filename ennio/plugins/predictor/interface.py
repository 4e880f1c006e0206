"""The predictor slot: what a session is likely to come to, and what is out of the ordinary for it.

A predictor is handed what finished sessions came to, the latest first. It reads no database, keeps
nothing, and gives the same answer to the same question. It answers in quantiles, and says from
which group of sessions, and how many: where there are too few it says that and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from ennio.model.forecast import (
    AnomalyLimit,
    CostEstimate,
    CostForecast,
    CountForecast,
    FinishedTask,
    TaskKind,
)


class SessionOutcomePredictor(Protocol):
    """Foretells, before a session starts, how it will end."""

    def success(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """In which range the share lies of such sessions that succeed, in percent."""
        ...

    def duration(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """How many seconds pass from its spawn to its end."""
        ...

    def tokens(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CountForecast:
        """How many tokens it takes, those it is given and those it answers."""
        ...


class CostPredictor(Protocol):
    """Foretells what a session costs."""

    def cost(self, kind: TaskKind, history: Sequence[FinishedTask]) -> CostForecast:
        """What it costs in all, before it has begun."""
        ...

    def estimate(
        self, kind: TaskKind, spent: Decimal, history: Sequence[FinishedTask]
    ) -> CostEstimate:
        """What it costs in all, and what of that is still to come, once it has cost so much."""
        ...


class AnomalyDetector(Protocol):
    """Says what is out of the ordinary."""

    def limits(self, kind: TaskKind, history: Sequence[FinishedTask]) -> tuple[AnomalyLimit, ...]:
        """Beyond what a session like this is out of the ordinary, for each metric of which
        enough is known.

        It is asked once for a kind of session and held against many: never at every look.
        """
        ...


class Predictor(SessionOutcomePredictor, CostPredictor, AnomalyDetector, Protocol):
    """All of it. Every call returns within milliseconds, and raises nothing for want of a past."""

    name: str
