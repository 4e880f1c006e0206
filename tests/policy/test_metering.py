"""What a session's numbers are after what happens to it."""

from __future__ import annotations

import pytest

from ennio.model.events import Draft, EventType
from ennio.policy.metering import SessionMetrics, metered

E = EventType
NEW = SessionMetrics("s-1")


def _after(*kinds: EventType, before: SessionMetrics = NEW, age: float = 90.7) -> SessionMetrics:
    return metered(before, [Draft(kind, "x") for kind in kinds], age)


def test_nothing_that_happens_changes_nothing() -> None:
    assert _after() == NEW
    assert (
        _after(
            E.SESSION_WORKING, E.MESSAGE_DELIVERED, E.PR_UPDATED, E.CI_FIX_SENT, E.REVIEW_PENDING
        )
        == NEW
    )


def test_runs_failures_and_rounds_are_counted() -> None:
    once = _after(E.CI_FAILING, E.REVIEW_CHANGES_REQUESTED)
    assert (once.ci_runs, once.ci_failures, once.review_rounds) == (1, 1, 1)
    twice = _after(E.CI_PASSING, E.REVIEW_APPROVED, before=once)
    assert (twice.ci_runs, twice.ci_failures, twice.review_rounds) == (2, 1, 2)


@pytest.mark.parametrize(
    ("kind", "field"),
    [(E.PR_CREATED, "time_to_first_pr_secs"), (E.PR_MERGED, "time_to_merge_secs")],
)
def test_the_first_time_counts(kind: EventType, field: str) -> None:
    first = _after(kind)
    assert getattr(first, field) == 90
    assert getattr(_after(kind, before=first, age=500), field) == 90
