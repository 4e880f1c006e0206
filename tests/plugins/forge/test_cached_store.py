"""The forge's store is read once, and again as soon as somebody else has written to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ennio.model.local_forge import CheckRow, PullRow, PullStore, ReviewRow
from ennio.model.pulls import CheckState, PullState, ReviewState
from ennio.plugins.forge.local.cached_store import CachedPullStore
from tests.plugins.forge.memory_store import MemoryForgeStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PULL = PullRow("p", 1, "b", "main", "Title", "", "ennio", False, PullState.OPEN, "h", NOW, NOW, NOW)
CHECK = CheckRow("p", "h", "lint", CheckState.PENDING, 1)
REVIEW = ReviewRow("r", "p", 1, "ada", ReviewState.NONE, "why?", None, None, "h", NOW)


class Counted(MemoryForgeStore):
    """A store that counts how often it is read."""

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


def _all(store: PullStore) -> tuple[Any, ...]:
    return (
        store.pull("p", 1),
        store.pulls("p", PullState.OPEN),
        store.checks("p", "h"),
        store.reviews("p", 1),
    )


@pytest.fixture
def under() -> Counted:
    store = Counted()
    store.save_pull(PULL)
    store.save_check(CHECK)
    store.save_review(REVIEW)
    return store


def test_what_was_read_is_not_read_again(under: Counted) -> None:
    store = CachedPullStore(under)
    assert _all(store) == _all(store) == (PULL, (PULL,), (CHECK,), (REVIEW,))
    assert under.reads == 4


CHANGES: dict[str, Callable[[PullStore], None]] = {
    "a pull request moves": lambda store: store.save_pull(replace(PULL, head="h2")),
    "a pull request ends": lambda store: store.save_pull(replace(PULL, state=PullState.MERGED)),
    "another is opened": lambda store: store.save_pull(replace(PULL, number=2, branch="c")),
    "a check ends": lambda store: store.save_check(replace(CHECK, state=CheckState.PASSING)),
    "a review comes": lambda store: store.save_review(replace(REVIEW, id="r2")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_saved_through_it_is_what_is_read_next(under: Counted, name: str) -> None:
    store = CachedPullStore(under)
    before = _all(store)
    CHANGES[name](store)
    assert _all(store) == _all(under) != before
    reads = under.reads
    assert _all(store) == _all(store)
    assert under.reads == reads


@pytest.mark.parametrize("name", CHANGES)
def test_what_somebody_else_saves_is_noticed(under: Counted, name: str) -> None:
    store = CachedPullStore(under)
    before = _all(store)
    CHANGES[name](under)
    assert _all(store) == _all(under) != before


def test_what_failed_but_was_saved_all_the_same_is_read(
    under: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CachedPullStore(under)
    _all(store)

    def half(row: PullRow) -> None:
        under._pulls[row.project_id, row.number] = (
            row  # without a word, as a commit whose answer is lost
        )
        raise OSError("lost")

    monkeypatch.setattr(under, "save_pull", half)
    with pytest.raises(OSError, match="lost"):
        store.save_pull(replace(PULL, state=PullState.CLOSED))
    assert store.pulls("p", PullState.OPEN) == ()
