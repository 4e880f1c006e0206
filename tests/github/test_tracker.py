"""GitHub's issues as a tracker, and what is told to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import ConfigError, NotFound, Unreachable
from ennio.plugins.tracker.github import GitHubTracker
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from tests.github.standin.hub import Fault, Hub, actor

Make = Callable[..., GitHubTracker]
DONE = Milestone(
    MilestoneKind.MERGED, "s-1", "claude-code", "fix", "https://github.example/acme/shop/pull/7", 7
)


def test_an_issue_is_found_with_all_an_agent_needs(hub: Hub, issues: Make) -> None:
    number = hub.issue("Fix the login", "It breaks.", ["bug"])
    tracker = issues()
    hub.issues[number]["comments"] += [
        {"body": f"word {n}", "author": actor("ada"), "createdAt": hub.now()} for n in range(130)
    ]
    issue = tracker.issue(f"#{number}")
    assert (issue.title, issue.body, issue.labels) == ("Fix the login", "It breaks.", ("bug",))
    assert issue.branch == f"issue-{number}-fix-the-login"
    assert issue.comments == tuple(f"ada: word {n}" for n in range(130))


def test_every_open_issue_is_listed_page_by_page(hub: Hub, issues: Make) -> None:
    numbers = [hub.issue(f"Issue {n}") for n in range(130)]
    issues().close(str(numbers[1]))
    assert [issue.id for issue in issues().issues()] == [
        str(number) for number in numbers if number != numbers[1]
    ]


def test_what_is_read_again_costs_no_quota_when_it_has_not_changed(hub: Hub, issues: Make) -> None:
    number, tracker = hub.issue("Fix"), issues()
    first = tracker.issue(str(number))
    before = hub.quotas["core"].remaining
    assert tracker.issue(str(number)) == first
    assert hub.quotas["core"].remaining == before
    hub.issues[number]["title"] = "Changed"
    assert tracker.issue(str(number)).title == "Changed"


def test_incident_11_an_etag_is_not_kept_for_an_answer_that_was_not_stored(
    hub: Hub, issues: Make
) -> None:
    number, tracker = hub.issue("Fix"), issues()
    hub.faults = [Fault(500, {"ETag": '"broken"'})]
    with pytest.raises(Unreachable):
        tracker.issue(str(number))
    assert tracker.issue(str(number)).title == "Fix"
    assert [status for *_, status in hub.requests][0:2] == [500, 200]


def test_incident_33_a_question_that_is_turned_away_says_when_it_may_be_asked(
    hub: Hub, issues: Make, clock: ManualClock
) -> None:
    number, tracker, quota = hub.issue("Fix"), issues(), hub.quotas["core"]
    quota.remaining = 0
    for _ in range(2):  # first by GitHub itself, then without asking
        with pytest.raises(Unreachable, match="full again at") as caught:
            tracker.issue(str(number))
        assert caught.value.until == quota.resets_at.replace(microsecond=0) + timedelta(seconds=1)
    hub.faults = [Fault(429, {"Retry-After": "90"})]
    clock.advance(3602)
    with pytest.raises(Unreachable, match="asked again at") as caught:
        tracker.issue(str(number))
    assert caught.value.until == clock.now() + timedelta(seconds=90)
    clock.advance(90)
    assert tracker.issue(str(number)).title == "Fix"


def test_milestones_do_what_is_configured_once(hub: Hub, issues: Make) -> None:
    number = hub.issue("Fix", labels=["todo"])
    tracker = issues(
        assign="ada", comment=["spawned", "merged"], labels={"spawned": ["doing"], "merged": ["done"]},
        unlabels={"spawned": ["todo"], "merged": ["doing"]}, close_on_merge=True,
    )  # fmt: skip
    for _ in range(2):
        tracker.tell(str(number), Milestone(MilestoneKind.SPAWNED, "s-1", "claude-code", "fix"))
    row = hub.issues[number]
    assert (row["assignees"], row["labels"], len(row["comments"]), row["state"]) == (
        ["ada"],
        ["doing"],
        1,
        "open",
    )
    for _ in range(2):
        tracker.tell(str(number), DONE)
    assert (row["labels"], len(row["comments"]), row["state"]) == (["done"], 2, "closed")
    assert "https://github.example/acme/shop/pull/7" in row["comments"][-1]["body"]
    assert tracker.issue(str(number)).comments == ()


def test_without_configuration_nothing_is_written(hub: Hub, issues: Make) -> None:
    number = hub.issue("Fix")
    for kind in MilestoneKind:
        issues().tell(str(number), Milestone(kind, "s-1"))
    assert {method for _, method, _, _ in hub.requests} == {"GET"}


def test_an_unknown_issue_is_not_found_and_named(hub: Hub, issues: Make) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    tracker = issues()
    with pytest.raises(NotFound, match="404"):
        tracker.issue("404")
    with pytest.raises(NotFound, match="write its number"):
        tracker.issue("ENG-1")


def test_an_issue_can_be_added(hub: Hub, issues: Make) -> None:
    issue = issues().add("New", "Body", ["bug"])
    assert hub.issues[int(issue.id)]["labels"] == ["bug"]


def test_every_wrong_setting_is_named(issues: Make) -> None:
    with pytest.raises(ConfigError) as caught:
        issues(comment=["sometimes"], close_on_merge="yes", labells={})
    words = str(caught.value)
    assert all(
        part in words
        for part in ("comment", "sometimes", "close_on_merge", "did you mean `labels`?")
    )
    assert "secret-token" not in words
