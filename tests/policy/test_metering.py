"""What a session's numbers are after what happens to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ennio.model.events import Draft, EventType
from ennio.model.usage import Tokens
from ennio.policy.ledger.spending import Spending
from ennio.policy.metering import SessionMetrics, charged, metered

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


def test_what_was_used_is_what_the_books_say() -> None:
    spent = Spending(3, 0, Tokens(200, 30, 900, 100), Decimal("0.1"), Decimal("0.02"))
    used = charged(_after(E.CI_FAILING), spent)
    assert (used.total_tokens_in, used.total_tokens_out, used.ci_failures) == (1200, 30, 1)
    assert (used.estimated_cost_usd, used.unpriced_requests) == (Decimal("0.12"), 0)


def test_money_that_nobody_knows_is_none_and_beside_the_known_part_it_is_said() -> None:
    unknown = charged(NEW, Spending(2, 2, Tokens(200, 30)))
    assert (unknown.estimated_cost_usd, unknown.unpriced_requests) == (None, 2)
    partly = charged(NEW, Spending(2, 1, Tokens(200, 30), Decimal("0.1")))
    assert (partly.estimated_cost_usd, partly.unpriced_requests) == (Decimal("0.1"), 1)
    free = charged(NEW, Spending(1, 0, Tokens(200, 30)))
    assert free.estimated_cost_usd == 0
