"""The forge's book is read once, and again as soon as somebody else has written to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ennio.model.local_forge import CheckRow, PullRow, PullStore, ReviewRow
from ennio.model.pulls import CheckState, PullState, ReviewState
from ennio.plugins.scm.local.remembered import RememberedBook
from tests.plugins.scm.memory_book import MemoryBook

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PULL = PullRow("p", 1, "b", "main", "Title", "", "ennio", False, PullState.OPEN, "h", NOW, NOW, NOW)
CHECK = CheckRow("p", "h", "lint", CheckState.PENDING, 1)
REVIEW = ReviewRow("r", "p", 1, "ada", ReviewState.NONE, "why?", None, None, "h", NOW)


class Counted(MemoryBook):
    """A book that counts how often it is read."""

    reads = 0

    def pull(self, project_id: str, number: int) -> PullRow | None:
        self.reads += 1
        return super().pull(project_id, number)

    def pulls(self, project_id: str, state: PullState | None = None) -> tuple[PullRow, ...]:
        self.reads += 1
        return super().pulls(project_id, state)

    def checks(self, project_id: str, head: str) -> tuple[CheckRow, ...]:
        self.reads += 1
        return super().checks(project_id, head)

    def reviews(self, project_id: str, number: int) -> tuple[ReviewRow, ...]:
        self.reads += 1
        return super().reviews(project_id, number)


def _all(book: PullStore) -> tuple[Any, ...]:
    return book.pull("p", 1), book.pulls("p", PullState.OPEN), book.checks("p", "h"), book.reviews("p", 1)


@pytest.fixture
def under() -> Counted:
    book = Counted()
    book.save_pull(PULL)
    book.save_check(CHECK)
    book.save_review(REVIEW)
    return book


def test_what_was_read_is_not_read_again(under: Counted) -> None:
    book = RememberedBook(under)
    assert _all(book) == _all(book) == (PULL, (PULL,), (CHECK,), (REVIEW,))
    assert under.reads == 4


CHANGES: dict[str, Callable[[PullStore], None]] = {
    "a pull request moves": lambda book: book.save_pull(replace(PULL, head="h2")),
    "a pull request ends": lambda book: book.save_pull(replace(PULL, state=PullState.MERGED)),
    "another is opened": lambda book: book.save_pull(replace(PULL, number=2, branch="c")),
    "a check ends": lambda book: book.save_check(replace(CHECK, state=CheckState.PASSING)),
    "a review comes": lambda book: book.save_review(replace(REVIEW, id="r2")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_saved_through_it_is_what_is_read_next(under: Counted, name: str) -> None:
    book = RememberedBook(under)
    before = _all(book)
    CHANGES[name](book)
    assert _all(book) == _all(under) != before
    reads = under.reads
    assert _all(book) == _all(book)
    assert under.reads == reads


@pytest.mark.parametrize("name", CHANGES)
def test_what_somebody_else_saves_is_noticed(under: Counted, name: str) -> None:
    book = RememberedBook(under)
    before = _all(book)
    CHANGES[name](under)
    assert _all(book) == _all(under) != before


def test_what_failed_but_was_saved_all_the_same_is_read(under: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    book = RememberedBook(under)
    _all(book)

    def half(row: PullRow) -> None:
        under._pulls[row.project_id, row.number] = row  # without a word, as a commit whose answer is lost
        raise OSError("lost")

    monkeypatch.setattr(under, "save_pull", half)
    with pytest.raises(OSError, match="lost"):
        book.save_pull(replace(PULL, state=PullState.CLOSED))
    assert book.pulls("p", PullState.OPEN) == ()
