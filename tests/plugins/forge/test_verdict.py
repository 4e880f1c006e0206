"""What reviewers have decided of a head, in any order of reviews and pushes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.local_forge import ReviewRow
from ennio.model.pulls import PullRequest, PullState, ReviewState, lacking
from ennio.plugins.forge.local.verdict import decided, opinions

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE, HEADS = ("ada", "bob", "cat"), ("h1", "h2", "h3")
YES, NO, WORDS = ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.NONE

_REVIEW = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from((YES, NO, WORDS)),
    st.sampled_from(HEADS),
    st.booleans(),
)


def _rows(said: list[tuple[str, ReviewState, str, bool]]) -> list[ReviewRow]:
    return [
        ReviewRow(
            str(n),
            "shop",
            1,
            author,
            decision,
            "words",
            None,
            None,
            head,
            START + timedelta(seconds=n),
            dismissed=dismissed,
        )
        for n, (author, decision, head, dismissed) in enumerate(said)
    ]


@given(st.lists(_REVIEW, max_size=8), st.sampled_from(HEADS), st.booleans())
def test_approved_is_what_somebody_approved_at_this_very_head_and_nobody_wants_changed(
    said: list[tuple[str, ReviewState, str, bool]], head: str, required: bool
) -> None:
    rows = _rows(said)
    last = {
        author: (decision, at)
        for author, decision, at, dismissed in said
        if decision is not WORDS and not dismissed
    }
    review = decided(rows, required=required, head=head)
    here, any_head = (
        (YES, head) in last.values(),
        any(decision is YES for decision, _ in last.values()),
    )
    if any(decision is NO for decision, _ in last.values()):
        assert review is NO
    elif here:
        assert review is YES
    else:
        assert review is (ReviewState.REQUIRED if required or any_head else ReviewState.NONE)
    counted = decided(rows, required=required)
    assert counted is (NO if review is NO else YES if any_head else review), (
        "where a new head dismisses nothing"
    )
    assert {(one.author, one.decision, one.head) for one in opinions(rows)} == {
        (who, *what) for who, what in last.items()
    }


@given(st.lists(_REVIEW, max_size=8), st.sampled_from(HEADS))
def test_what_a_person_is_told_to_be_missing_is_exactly_what_is_no_approval_of_this_head(
    said: list[tuple[str, ReviewState, str, bool]], head: str
) -> None:
    rows = _rows(said)
    for judged in (head, None):
        review = decided(rows, required=True, head=judged)
        pull = PullRequest(
            1, "u", "t", "fix", "main", head, PullState.OPEN, review=review, opinions=opinions(rows)
        )
        good = review is YES and (YES, head) in {(one.decision, one.head) for one in opinions(rows)}
        assert (not [words for words in lacking(pull) if "checks" not in words]) is good
        if judged is not None:
            assert good is (review is YES)
