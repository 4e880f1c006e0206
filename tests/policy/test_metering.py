"""What a session's numbers are after what happens to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ennio.model.events import Draft, EventType
from ennio.model.session import Usage
from ennio.policy.metering import SessionMetrics, metered

E = EventType
NEW = SessionMetrics("s-1")


def _after(
    *kinds: EventType, before: SessionMetrics = NEW, usage: Usage | None = None, age: float = 90.7
) -> SessionMetrics:
    return metered(before, [Draft(kind, "x") for kind in kinds], usage, age)


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


def test_usage_is_a_total_and_never_falls() -> None:
    used = _after(usage=Usage(1200, 30, Decimal("0.12")))
    assert (used.total_tokens_in, used.total_tokens_out, used.estimated_cost_usd) == (
        1200,
        30,
        Decimal("0.12"),
    )
    assert _after(before=used, usage=Usage(100, 3)) == used
    assert _after(before=used) == used


def test_money_that_was_reckoned_is_put_right_by_what_was_counted() -> None:
    reckoned = _after(usage=Usage(1200, 30, Decimal("0.13")))
    assert _after(
        before=reckoned, usage=Usage(1200, 30, Decimal("0.12"))
    ).estimated_cost_usd == Decimal("0.12")
    assert _after(
        before=reckoned, usage=Usage(100, 3, Decimal("0.01"))
    ).estimated_cost_usd == Decimal("0.13")


def test_money_that_nobody_knows_is_none_and_stays_what_it_was_when_nobody_knows_any_more() -> None:
    unknown = _after(usage=Usage(1200, 30))
    assert unknown.estimated_cost_usd is None
    known = _after(before=unknown, usage=Usage(1300, 30, Decimal("0.13")))
    assert _after(before=known, usage=Usage(1400, 30)).estimated_cost_usd == Decimal("0.13")
