"""What a session has used and how it went, from what happens to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from ennio.model.events import Draft, EventType
from ennio.model.session import Usage
from ennio.model.shape import INTERNAL

_RUNS = (EventType.CI_PASSING, EventType.CI_FAILING)
_VERDICTS = (EventType.REVIEW_APPROVED, EventType.REVIEW_CHANGES_REQUESTED)


@dataclass(frozen=True, slots=True)
class SessionMetrics:
    """What a session has used and how it went; durations in whole seconds from its spawn.

    ``ci_runs`` counts heads whose checks have ended, ``review_rounds`` verdicts of the reviewers.
    ``updated_at`` is given by the store, None before the first save. ``estimated_cost_usd`` is
    None while nobody knows it.
    """

    session_id: str = field(metadata=INTERNAL)
    total_tokens_in: int = 0
    total_tokens_out: int = 0
    estimated_cost_usd: Decimal | None = None
    ci_runs: int = 0
    ci_failures: int = 0
    review_rounds: int = 0
    time_to_first_pr_secs: int | None = None
    time_to_merge_secs: int | None = None
    updated_at: datetime | None = field(default=None, metadata=INTERNAL)


def metered(
    before: SessionMetrics, events: Sequence[Draft], usage: Usage | None, age: float
) -> SessionMetrics:
    """The numbers after these events of a session that is ``age`` seconds old; usage is
    what it has used in all.
    """
    kinds = [event.event_type for event in events]
    return replace(
        _used(before, usage),
        ci_runs=before.ci_runs
        + sum(event.event_type in _RUNS and not event.data.get("unchecked") for event in events),
        ci_failures=before.ci_failures + kinds.count(EventType.CI_FAILING),
        review_rounds=before.review_rounds + sum(kind in _VERDICTS for kind in kinds),
        time_to_first_pr_secs=_first(
            before.time_to_first_pr_secs, EventType.PR_CREATED in kinds, age
        ),
        time_to_merge_secs=_first(before.time_to_merge_secs, EventType.PR_MERGED in kinds, age),
    )


def _used(before: SessionMetrics, usage: Usage | None) -> SessionMetrics:
    """Usage is a total; one that is smaller than before was read from the beginning
    again and says nothing new.

    Money is not held to that by itself: what was reckoned is put right by what was counted.
    """
    if usage is None:
        return before
    whole = (
        usage.input_tokens >= before.total_tokens_in
        and usage.output_tokens >= before.total_tokens_out
    )
    known = before.estimated_cost_usd
    cost = known if usage.cost_usd is None else usage.cost_usd
    return replace(
        before,
        total_tokens_in=max(before.total_tokens_in, usage.input_tokens),
        total_tokens_out=max(before.total_tokens_out, usage.output_tokens),
        estimated_cost_usd=cost if whole or cost is None or known is None else max(known, cost),
    )


def _first(known: int | None, happened: bool, age: float) -> int | None:
    return int(max(age, 0)) if known is None and happened else known
