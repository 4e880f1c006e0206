"""What every tracker promises, held against the stub, the local one on files and on the store,
GitHub and Linear over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ennio.model.branch import check_branch
from ennio.model.errors import ConfigError, NotFound
from ennio.plugins.tracker import linear, local
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from tests.contract.tracker_bench import WORLDS, Bench

PULL = "https://github.example/acme/shop/pull/7"


@pytest.fixture(params=list(WORLDS))
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    yield from WORLDS[request.param](tmp_path, monkeypatch)


def test_it_has_a_name(bench: Bench) -> None:
    assert bench.tracker.name


def test_an_issue_is_found_with_all_an_agent_needs(bench: Bench) -> None:
    issue_id = bench.add("Fix the login", "It breaks\n\non Mondays.", ["bug", "ui"])
    issue = bench.tracker.issue(issue_id)
    assert (issue.id, issue.title, issue.body) == (
        issue_id,
        "Fix the login",
        "It breaks\n\non Mondays.",
    )
    assert (issue.labels, issue.state, issue.comments) == (("bug", "ui"), "open", ())
    assert issue.branch is not None
    assert f"{issue.id.lower()}-fix-the-login" in issue.branch
    check_branch(issue.branch)


def test_reading_it_again_gives_the_same(bench: Bench) -> None:
    issue_id = bench.add("Fix", "body", [])
    assert bench.tracker.issue(issue_id) == bench.tracker.issue(issue_id)


def test_every_open_issue_is_listed_and_no_closed_one(bench: Bench) -> None:
    ids = [bench.add(f"Issue {n}", "", []) for n in range(3)]
    assert len(set(ids)) == 3
    bench.tracker.close(ids[1])
    assert sorted(issue.id for issue in bench.tracker.issues()) == [ids[0], ids[2]]


def test_closing_twice_is_fine(bench: Bench) -> None:
    issue_id = bench.add("Once", "", [])
    bench.tracker.close(issue_id)
    bench.tracker.close(issue_id)
    assert bench.tracker.issue(issue_id).state == "closed"


def test_comments_are_kept_in_order(bench: Bench) -> None:
    issue_id = bench.add("Talk", "body", [])
    bench.tracker.comment(issue_id, "first\n\n# with a heading")
    bench.tracker.comment(issue_id, "second")
    issue = bench.tracker.issue(issue_id)
    # where comments have authors they stand in front
    assert [comment.rpartition(": ")[2] for comment in issue.comments] == [
        "first\n\n# with a heading",
        "second",
    ]
    assert (issue.title, issue.body) == ("Talk", "body")


def test_an_unknown_issue_is_not_found_and_named(bench: Bench) -> None:
    milestone = Milestone(MilestoneKind.MERGED, "s-1", pull_number=7)
    calls: tuple[Callable[[str], object], ...] = (
        bench.tracker.issue,
        bench.tracker.close,
        lambda issue_id: bench.tracker.comment(issue_id, "x"),
        lambda issue_id: bench.tracker.tell(issue_id, milestone),
    )
    for call in calls:
        with pytest.raises(NotFound, match="404"):
            call(bench.unknown)


def test_a_milestone_may_come_twice_and_only_a_merge_closes(bench: Bench) -> None:
    issue_id = bench.add("Fix", "body", [])
    for kind in (MilestoneKind.SPAWNED, MilestoneKind.PULL_OPENED):
        bench.tracker.tell(issue_id, Milestone(kind, "s-1", "claude-code", "fix", PULL, 7))
    assert bench.tracker.issue(issue_id).state == "open"
    once = bench.tracker.issue(issue_id).comments
    for _ in range(2):
        bench.tracker.tell(
            issue_id, Milestone(MilestoneKind.PULL_OPENED, "s-1", "claude-code", "fix", PULL, 7)
        )
    assert bench.tracker.issue(issue_id).comments == once
    if bench.tracker.name != "stub":  # the stub only remembers what it was told
        for _ in range(2):
            bench.tracker.tell(
                issue_id, Milestone(MilestoneKind.MERGED, "s-1", "claude-code", "fix", PULL, 7)
            )
        assert bench.tracker.issue(issue_id).state == "closed"


@pytest.mark.parametrize(
    ("read", "given"),
    [(local.parse, {}), (linear.parse, {"api_key": "k"})],
    ids=["local", "linear"],
)
def test_the_same_words_are_said_to_each(
    read: Callable[[Mapping[str, Any]], Any], given: dict[str, Any]
) -> None:
    settings = read({**given, "comment": ["merged"], "close_on_merge": True})
    assert (settings.comment, settings.close_on_merge) == ((MilestoneKind.MERGED,), True)
    with pytest.raises(ConfigError, match="close_on_merge"):
        read({**given, "close_on_merge": "yes"})
