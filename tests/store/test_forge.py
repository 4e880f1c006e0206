"""The store of the local forge keeps what it is given and never gives a number twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import TimedOut
from ennio.model.local_forge import CheckRow, ForgeStore, IssueRow, PullRow, ReviewRow
from ennio.model.pulls import CheckState, PullState, ReviewState
from ennio.store import Store, open_store
from ennio.store.row_table import RowTable


@pytest.fixture
def book(store: Store) -> ForgeStore:
    return store.forge


@pytest.fixture
def pull(clock: ManualClock) -> PullRow:
    now = clock.now()
    return PullRow(
        "p", 1, "fix", "main", "t", "b", "ann", False, PullState.OPEN, "abc", now, now, now
    )


def test_pull_requests_are_found_by_number_and_state(
    book: ForgeStore, pull: PullRow, clock: ManualClock
) -> None:
    merged = replace(
        pull,
        number=2,
        state=PullState.MERGED,
        draft=True,
        merged_at=clock.now(),
        merge_commit="c",
        closed_at=clock.now() + timedelta(1),
    )
    for row in (merged, pull, replace(pull, project_id="other")):
        book.save_pull(row)
    assert book.pull("p", 2) == merged
    assert book.pull("p", 3) is None
    assert book.pulls("p") == (pull, merged)
    assert book.pulls("p", PullState.MERGED) == (merged,)
    book.save_pull(replace(pull, head="def"))
    assert book.pulls("p", PullState.OPEN) == (replace(pull, head="def"),)


def test_a_branch_has_its_open_pull_request_or_else_its_newest(
    book: ForgeStore, pull: PullRow
) -> None:
    assert book.pull_of("p", "fix") is None
    book.save_pull(replace(pull, number=1, state=PullState.CLOSED))
    book.save_pull(replace(pull, number=3, state=PullState.CLOSED))
    assert (found := book.pull_of("p", "fix")) is not None
    assert found.number == 3
    book.save_pull(replace(pull, number=2))
    assert (found := book.pull_of("p", "fix")) is not None
    assert found.number == 2


def test_numbers_are_given_once_per_project_even_after_a_restart(
    tmp_path: Path, clock: ManualClock, pull: PullRow
) -> None:
    store = open_store("sqlite:f.db", tmp_path, clock)
    assert [store.forge.next_number("p") for _ in range(3)] == [1, 2, 3]
    store.close()
    store = open_store("sqlite:f.db", tmp_path, clock)
    assert (store.forge.next_number("p"), store.forge.next_number("other")) == (4, 1)
    store.forge.save_pull(replace(pull, number=10))
    assert store.forge.next_number("p") == 11
    store.close()


def test_checks_are_kept_by_head_and_name_and_the_unfinished_ones_found(
    book: ForgeStore, clock: ManualClock
) -> None:
    lint = CheckRow("p", "abc", "lint", CheckState.PENDING, 1)
    test = CheckRow(
        "p", "abc", "a test", CheckState.PENDING, 1, started_at=clock.now(), log="/l", url="u"
    )
    for row in (lint, test, replace(lint, project_id="other"), replace(lint, head="def")):
        book.save_check(row)
    assert book.checks("p", "abc") == (test, lint)
    done = replace(lint, state=CheckState.FAILING, run=2, finished_at=clock.now(), exit_code=1)
    book.save_check(done)
    assert book.checks("p", "abc") == (test, done)
    assert book.unfinished_checks("p") == (test, replace(lint, head="def"))


def test_reviews_come_oldest_first_and_keep_their_place_when_changed(
    book: ForgeStore, clock: ManualClock
) -> None:
    first = ReviewRow(
        "z", "p", 1, "ann", ReviewState.CHANGES_REQUESTED, "why?", "a.py", 3, "abc", clock.now()
    )
    second = replace(first, id="a", decision=ReviewState.NONE, path=None, line=None, bot=True)
    for row in (first, second, replace(first, id="x", number=2)):
        book.save_review(row)
    book.save_review(replace(first, resolved=True, dismissed=True))
    assert book.reviews("p", 1) == (replace(first, resolved=True, dismissed=True), second)


def test_issues_are_kept_and_ids_given_once_beside_those_of_people(
    book: ForgeStore, clock: ManualClock
) -> None:
    assert book.next_issue_id("p") == "1"
    issue = IssueRow("p", "7", "t", "b", "open", ("bug", "ui"), ("one\ntwo",), clock.now())
    named = replace(
        issue, id="ABC-1", state="closed", labels=(), comments=(), closed_at=clock.now()
    )
    for row in (named, issue, replace(issue, project_id="other")):
        book.save_issue(row)
    assert book.issue("p", "7") == issue
    assert book.issue("p", "8") is None
    assert book.issues("p") == (named, issue)
    assert [book.next_issue_id("p"), book.next_issue_id("p")] == ["8", "9"]


NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAVES: dict[str, Callable[[ForgeStore], None]] = {
    "pull": lambda book: book.save_pull(
        PullRow("p", 1, "fix", "main", "t", "b", "ann", False, PullState.OPEN, "abc", NOW, NOW, NOW)
    ),
    "check": lambda book: book.save_check(CheckRow("p", "abc", "lint", CheckState.PENDING, 1)),
    "review": lambda book: book.save_review(
        ReviewRow("z", "p", 1, "ann", ReviewState.APPROVED, "", None, None, "abc", NOW)
    ),
    "issue": lambda book: book.save_issue(IssueRow("p", "7", "t", "b", "open", (), (), NOW)),
}


@pytest.mark.parametrize("what", SAVES)
def test_a_row_of_which_nobody_knows_whether_it_was_saved_counts_as_changed(
    book: ForgeStore, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, before = RowTable.save, book.revision

    def lost(table: RowTable[Any], row: Any) -> None:
        save(table, row)
        raise TimedOut("the answer of the commit is lost")

    monkeypatch.setattr(RowTable, "save", lost)
    with pytest.raises(TimedOut):
        SAVES[what](book)
    assert book.revision > before
