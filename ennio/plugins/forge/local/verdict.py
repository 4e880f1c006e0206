"""What the reviewers of a pull request have decided, and what its agent must still answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ennio.model.errors import Invalid
from ennio.model.local_forge import ReviewRow
from ennio.model.pulls import TOLD, Comment, Opinion, ReviewState
from ennio.plugins.forge.interface import HeadMoved

DECISIVE = (ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED)


def counting(reviews: Sequence[ReviewRow]) -> dict[str, ReviewRow]:
    """The review that counts of each author: the latest decisive one that nobody dismissed.

    A later comment changes nothing: it decides nothing.
    """
    decisive = (row for row in reviews if row.decision in DECISIVE and not row.dismissed)
    return {row.author: row for row in sorted(decisive, key=lambda row: row.at)}


def opinions(reviews: Sequence[ReviewRow]) -> tuple[Opinion, ...]:
    """What each reviewer stands for, and the head it is about; oldest first."""
    return tuple(
        Opinion(row.author, row.decision, row.head)
        for row in sorted(counting(reviews).values(), key=lambda row: row.at)
    )


def decided(
    reviews: Sequence[ReviewRow], *, required: bool, head: str | None = None
) -> ReviewState:
    """What all reviewers together have decided; one who asks for changes outweighs any approval.

    With ``head`` an approval of another one is stale: it counts no longer,
    and another look is wanted.
    """
    standing = counting(reviews).values()
    decisions = {
        row.decision
        for row in standing
        if head in (None, row.head) or row.decision is not ReviewState.APPROVED
    }
    for decision in (ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED):
        if decision in decisions:
            return decision
    return (
        ReviewState.REQUIRED
        if required or len(decisions) < len({row.decision for row in standing})
        else ReviewState.NONE
    )


def unanswered(reviews: Sequence[ReviewRow], author: str, url: str) -> tuple[Comment, ...]:
    """What the pull request's author has still to answer, oldest first.

    That is every line comment, conversation comment and request for changes, until it is
    resolved; but not what the author wrote, nor the words that come with an approval. What is asked
    for one after the other is all asked for, until who asks approves, or it is dismissed.
    """
    approved = {
        row.author: row.at
        for row in sorted(reviews, key=lambda row: row.at)
        if row.decision is ReviewState.APPROVED and not row.dismissed
    }
    rows = [
        row for row in reviews if not row.resolved and not row.dismissed and row.author != author
    ]
    return tuple(
        _comment(row, url)
        for row in sorted(rows, key=lambda row: row.at)
        if row.body.strip() and _needs_answer(row, approved.get(row.author))
    )


def _needs_answer(row: ReviewRow, approved_at: datetime | None) -> bool:
    if row.path is not None:
        return True
    if row.decision is ReviewState.CHANGES_REQUESTED:
        return approved_at is None or row.at > approved_at
    return row.decision is ReviewState.NONE


def _comment(row: ReviewRow, url: str) -> Comment:
    told = TOLD in row.body
    decision = row.decision if row.decision in DECISIVE else None
    thread = f"{row.path}:{row.line or 0}" if row.path is not None else None
    return Comment(
        row.id,
        row.author,
        row.body.replace(TOLD, "").rstrip() if told else row.body,
        row.at,
        row.bot,
        row.path,
        row.line,
        f"{url}#{row.id}",
        thread,
        decision,
        own=told,
        told=told,
    )


def check_review(
    author: str, decision: ReviewState, body: str, path: str | None, line: int | None
) -> None:
    """Raise Invalid unless this can stand as a review; names the field."""
    wrong = (
        (not author.strip(), "author: is empty; who reviews?"),
        (decision is ReviewState.REQUIRED, "decision: write approved, changes_requested or none"),
        (
            decision is not ReviewState.APPROVED and not body.strip(),
            "body: is empty; say what should change",
        ),
        (line is not None and path is None, "line: needs a path"),
        (line is not None and line < 1, f"line: {line} is not a line; lines count from 1"),
        (
            path is not None and not _is_inside(path),
            f"path: {path!r} is not a path inside the repository, such as src/main.py",
        ),
    )
    message = next((words for broken, words in wrong if broken), None)
    if message:
        raise Invalid(message)


def _is_inside(path: str) -> bool:
    return bool(path.strip()) and not path.startswith("/") and ".." not in path.split("/")


def check_head(number: int, head: str, seen: str | None) -> None:
    """Raise HeadMoved when the head is no longer the one that the reviewer
    saw (None: whatever it is).
    """
    if seen is not None and not head.startswith(seen):
        raise HeadMoved(
            f"the head of #{number} is {head[:10]}, not {seen[:10]}, which you saw; look at it "
            "again"
        )
