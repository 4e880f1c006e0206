"""What a session has used, by the books, and how it went, from what happens to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from ennio.model.events import Draft, EventType
from ennio.model.shape import INTERNAL

_RUNS = (EventType.CI_PASSING, EventType.CI_FAILING)
_VERDICTS = (EventType.REVIEW_APPROVED, EventType.REVIEW_CHANGES_REQUESTED)


@dataclass(frozen=True, slots=True)
class SessionMetrics:
    """What a session has used and how it went; durations in whole seconds from its spawn.

    ``ci_runs`` counts heads whose checks have ended, ``review_rounds`` verdicts of the reviewers.
    ``updated_at`` is given by the store, None before the first save. What was used comes from the
    books: ``estimated_cost_usd`` is the known part, None while nothing is known, and
    ``unpriced_requests`` are not in it.
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
    unpriced_requests: int = 0
    updated_at: datetime | None = field(default=None, metadata=INTERNAL)


def metered(before: SessionMetrics, events: Sequence[Draft], age: float) -> SessionMetrics:
    """The numbers after these events of a session that is ``age`` seconds old."""
    kinds = [event.event_type for event in events]
    runs = sum(e.event_type in _RUNS and not e.data.get("unchecked") for e in events)
    opened, merged = EventType.PR_CREATED in kinds, EventType.PR_MERGED in kinds
    return replace(
        before,
        ci_runs=before.ci_runs + runs,
        ci_failures=before.ci_failures + kinds.count(EventType.CI_FAILING),
        review_rounds=before.review_rounds + sum(kind in _VERDICTS for kind in kinds),
        time_to_first_pr_secs=_first(before.time_to_first_pr_secs, opened, age),
        time_to_merge_secs=_first(before.time_to_merge_secs, merged, age),
    )


def _first(known: int | None, happened: bool, age: float) -> int | None:
    return int(max(age, 0)) if known is None and happened else known
