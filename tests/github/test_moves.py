"""What people do to a pull request behind the agent's back: every turn of it is seen, and none
is mistaken for its end.
"""

from __future__ import annotations

from collections.abc import Callable

from ennio.model.clock import ManualClock
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, PullRequest, PullState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.tracker.github import GitHubTracker
from tests.github.standin.hub import Hub, Run
from tests.github.test_survey import seen, watch

Make = Callable[..., GitHubForge]


def now(forge: GitHubForge, clock: ManualClock, number: int | None = None) -> PullRequest:
    pull = seen(forge, clock, watch(number=number)).pull
    assert pull is not None
    return pull


def test_a_draft_is_followed_there_and_back(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    pull = hub.open("fix", draft=True)
    turns = []
    for draft in (True, False, True):
        pull.draft = draft
        turns.append(now(forge, clock, pull.number).draft)
    assert turns == [True, False, True]
    assert len(hub.pulls) == 1


def test_incident_18_of_two_on_one_branch_the_open_one_counts_whichever_it_is(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    first = hub.open("fix")
    first.state = "CLOSED"
    hub.push("fix", {"a.txt": "2\n"})
    second = hub.open("fix")
    assert now(forge, clock, first.number).number == second.number
    first.state, second.state = "OPEN", "CLOSED"
    reopened = now(forge, clock, second.number)
    assert (reopened.number, reopened.state) == (first.number, PullState.OPEN)


def test_incident_18_a_branch_renamed_and_forced_is_still_the_same_pull_request(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    pull = hub.open("fix")
    assert now(forge, clock).number == pull.number
    new = hub.push("better", {"a.txt": "other\n"}, force=True)
    pull.branch = "better"
    hub.delete_branch("fix")
    hub.run(new, Run("test", conclusion="FAILURE"))
    found = now(forge, clock, pull.number)
    assert (found.branch, found.head, found.checks, len(hub.pulls)) == (
        "better",
        new,
        CheckState.FAILING,
        1,
    )


def test_a_branch_deleted_under_an_open_pull_request_opens_no_other(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    pull = hub.open("fix")
    hub.delete_branch("fix")
    still = now(forge, clock, pull.number)
    assert (still.state, still.head) == (PullState.OPEN, head)
    pull.state = "CLOSED"  # as GitHub does a moment later
    assert now(forge, clock, pull.number).state is PullState.CLOSED
    assert len(hub.pulls) == 1


def test_a_base_that_was_deleted_or_retargeted_is_no_end(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.push("release", {"r.txt": "1\n"})
    pull = hub.open("fix", "release")
    hub.delete_branch("release")
    assert (now(forge, clock, pull.number).state, now(forge, clock, pull.number).base) == (
        PullState.OPEN,
        "release",
    )
    pull.base = "main"
    assert now(forge, clock, pull.number).base == "main"


def test_incident_18_a_pull_request_from_our_fork_lives_through_everything(
    hub: Hub, make: Make, clock: ManualClock
) -> None:
    forge = make(head_owner="me", delete_branch=True)
    head = hub.push("fix", {"a.txt": "1\n"})
    pull = hub.open("fix", owner="me", head=head, draft=True)
    assert now(forge, clock).draft
    pull.draft, pull.state = False, "CLOSED"
    assert now(forge, clock, pull.number).state is PullState.CLOSED
    pull.state = "OPEN"
    pull.head = hub.push("fix", {"a.txt": "other\n"}, force=True)
    assert (now(forge, clock, pull.number).state, now(forge, clock, pull.number).head) == (
        PullState.OPEN,
        pull.head,
    )
    assert forge.merge(pull.number, pull.head).commit == hub.heads()["main"]
    assert "fix" in hub.heads(), "a branch of this name here is not the one of the fork"


def test_a_fork_that_is_gone_leaves_its_pull_request(
    hub: Hub, make: Make, clock: ManualClock
) -> None:
    pull = hub.open("fix", owner="me", head="a" * 40)
    forge = make(head_owner="me")
    assert now(forge, clock).number == pull.number
    pull.owner = ""
    found = now(forge, clock, pull.number)
    assert (found.number, found.state) == (pull.number, PullState.OPEN)


def test_an_agent_that_pushes_to_a_fork_opens_its_pull_request_itself(
    hub: Hub, make: Make, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    found = seen(make(head_owner="me"), clock)
    assert (found.presence, "fork" in found.detail, hub.pulls) == (Presence.GONE, True, {})


def test_incident_18_a_transferred_repository_takes_words_merges_and_issues(
    hub: Hub, forge: GitHubForge, issues: Callable[..., GitHubTracker]
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    pull, issue = hub.open("fix"), hub.issue("Fix it")
    remark = hub.remark(pull.number, "ada", "and the docs?")
    tracker = issues(close_on_merge=True)
    hub.transfer("newcorp", "store")
    forge.reply(pull.number, remark["id"], "Done.")
    assert len(pull.comments) == 2
    assert forge.merge(pull.number, head).commit
    assert tracker.issue(str(issue)).title == "Fix it"
    tracker.comment(str(issue), "merged")
    tracker.close(str(issue))
    assert (len(hub.issues[issue]["comments"]), hub.issues[issue]["state"]) == (1, "closed")
