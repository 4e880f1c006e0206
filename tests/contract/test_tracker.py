"""What every tracker promises, held against the stub and the local one on files and on the book."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.branch import check_branch
from ennio.clock import ManualClock
from ennio.config.model import Project
from ennio.errors import NotFound
from ennio.plugins.tracker.local import LocalTracker, Settings
from ennio.plugins.tracker.stub import StubTracker
from tests.plugins.scm.memory_book import MemoryBook


def _local(path: Path) -> LocalTracker:
    return LocalTracker(Project(id="shop", name="Shop", repo=str(path), path=path), MemoryBook(), ManualClock(), Settings())


@pytest.fixture(params=["stub", "book", "files"])
def tracker(request: pytest.FixtureRequest, tmp_path: Path) -> StubTracker | LocalTracker:
    if request.param == "stub":
        return StubTracker()
    if request.param == "files":
        (tmp_path / "issues").mkdir()
    return _local(tmp_path)


def test_it_has_a_name(tracker: StubTracker | LocalTracker) -> None:
    assert tracker.name


def test_an_issue_is_found_with_all_an_agent_needs(tracker: StubTracker | LocalTracker) -> None:
    added = tracker.add("Fix the login", "It breaks\n\non Mondays.", ["bug", "ui"])
    issue = tracker.issue(added.id)
    assert (issue.title, issue.body, issue.labels, issue.state) == ("Fix the login", "It breaks\n\non Mondays.", ("bug", "ui"), "open")
    assert issue.branch == f"issue-{issue.id}-fix-the-login"
    check_branch(issue.branch)


def test_every_open_issue_is_listed_and_no_closed_one(tracker: StubTracker | LocalTracker) -> None:
    ids = [tracker.add(f"Issue {n}", "").id for n in range(3)]
    assert len(set(ids)) == 3
    tracker.close(ids[1])
    assert sorted(issue.id for issue in tracker.issues()) == [ids[0], ids[2]]


def test_closing_twice_is_fine(tracker: StubTracker | LocalTracker) -> None:
    issue_id = tracker.add("Once", "").id
    tracker.close(issue_id)
    tracker.close(issue_id)
    assert tracker.issue(issue_id).state == "closed"


def test_comments_are_kept_in_order(tracker: StubTracker | LocalTracker) -> None:
    issue_id = tracker.add("Talk", "body").id
    tracker.comment(issue_id, "first\n\n# with a heading")
    tracker.comment(issue_id, "second")
    issue = tracker.issue(issue_id)
    assert issue.comments == ("first\n\n# with a heading", "second")
    assert (issue.title, issue.body) == ("Talk", "body")


def test_an_unknown_issue_is_not_found_and_named(tracker: StubTracker | LocalTracker) -> None:
    for call in (tracker.issue, tracker.close, lambda issue_id: tracker.comment(issue_id, "x")):
        with pytest.raises(NotFound, match="404"):
            call("404")
