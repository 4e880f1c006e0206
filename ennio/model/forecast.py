"""What is forecast of a session: from whose past, and in which range. Never one number alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class TaskSize(StrEnum):
    """How much is asked for, by the number of words (``of_words``)."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @classmethod
    def of_words(cls, words: int) -> TaskSize:
        """Up to 50 words are a small task, up to 250 a medium one, and beyond it is a large one."""
        if words <= SMALL_WORDS:
            return cls.SMALL
        return cls.MEDIUM if words <= MEDIUM_WORDS else cls.LARGE


SMALL_WORDS, MEDIUM_WORDS = 50, 250


@dataclass(frozen=True, slots=True)
class TaskKind:
    """What a session is like, as far as it counts: whose agent works for whom, with which model
    (None: not known yet), and on how much (None: not known yet).
    """

    project_id: str
    agent: str
    model: str | None = None
    size: TaskSize | None = None


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Those sessions that are alike in what is given; None does not restrict."""

    project_id: str | None = None
    agent: str | None = None
    model: str | None = None
    size: TaskSize | None = None

    def holds(self, kind: TaskKind) -> bool:
        """Whether a session of this kind is one of them."""
        return (
            self.project_id in (None, kind.project_id)
            and self.agent in (None, kind.agent)
            and self.model in (None, kind.model)
            and self.size in (None, kind.size)
        )


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """A session that has ended for good, and what it came to.

    ``succeeded``: its pull request was merged, or it ended by itself with its task done. What is
    not known is None: ``cost_usd`` also where a part of it is not. ``silence`` is how long its
    agent was silent at work at the longest, in seconds, as ``seconds`` are from its spawn.
    """

    kind: TaskKind
    succeeded: bool
    seconds: int
    tokens: int | None = None
    cost_usd: Decimal | None = None
    silence: int | None = None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """One in ten was below ``p10``, half were below ``p50``, nine in ten below ``p90``."""

    p10: int
    p50: int
    p90: int


@dataclass(frozen=True, slots=True)
class MoneyQuantiles:
    """The same, of dollars."""

    p10_usd: Decimal
    p50_usd: Decimal
    p90_usd: Decimal


@dataclass(frozen=True, slots=True)
class CountForecast:
    """Seconds, tokens, or percent: from ``n`` sessions of ``group``. ``quantiles`` is None where
    even of the widest group there are too few.
    """

    group: TaskGroup
    n: int
    quantiles: Quantiles | None = None


@dataclass(frozen=True, slots=True)
class CostForecast:
    """Dollars, in the same way."""

    group: TaskGroup
    n: int
    quantiles: MoneyQuantiles | None = None


@dataclass(frozen=True, slots=True)
class TaskForecast:
    """What a session of this kind is expected to come to; ``least`` sessions it takes to say so.

    ``success`` is in percent: in which range the share lies of those that succeed.
    """

    kind: TaskKind
    success: CountForecast
    seconds: CountForecast
    tokens: CountForecast
    cost: CostForecast
    least: int


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a session that has cost so much comes to in all, and what of that is still to come;
    from those that cost as much at least.
    """

    total: CostForecast
    remaining: CostForecast


class AnomalyMetric(StrEnum):
    """What may be out of the ordinary."""

    TOKENS = "tokens"
    COST = "cost"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class AnomalyLimit:
    """Beyond what a metric (tokens, dollars, seconds) is out of the ordinary for a group."""

    metric: AnomalyMetric
    limit: Decimal
    median: Decimal
    group: TaskGroup
    n: int
