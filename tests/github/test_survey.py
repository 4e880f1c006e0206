"""What the forge sees of branches and pull requests on GitHub."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ennio.model.clock import ManualClock
from ennio.model.facts import ForgeSeen, Presence
from ennio.model.pulls import CheckState, Mergeability, PullState, ReviewState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from tests.github.standin.hub import Fault, Hub, Run


def watch(
    branch: str = "fix", *, number: int | None = None, idle: bool = True, session: str = "s-1"
) -> Watch:
    return Watch(session, branch, "main", number=number, idle=idle, title="A title", body="Words")


def seen(forge: GitHubForge, clock: ManualClock, one: Watch | None = None) -> ForgeSeen:
    """What a survey says once everything is due."""
    clock.advance(1000)
    one = one or watch()
    return forge.survey([one])[one.session_id]


def test_a_branch_nobody_pushed_is_proof_that_there_is_no_pull_request(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    found = seen(forge, clock)
    assert (found.presence, found.pull) == (Presence.GONE, None)
    assert "not in acme/shop yet" in found.detail


def test_a_pushed_branch_gets_its_pull_request_when_its_agent_rests(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    assert seen(forge, clock, watch(idle=False)).presence is Presence.GONE
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.branch, pull.base, pull.head, pull.state, pull.title) == (
        "fix",
        "main",
        head,
        PullState.OPEN,
        "A title",
    )
    assert pull.mergeability is Mergeability.CLEAN
    assert seen(forge, clock).pull == pull
    assert len(hub.pulls) == 1


def test_a_clock_that_is_put_back_an_hour_keeps_no_look_waiting_for_it(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    assert seen(forge, clock).pull is not None
    clock.put(-3600)
    head = hub.push("fix", {"a.txt": "2\n"})
    pull = forge.survey([watch()])["s-1"].pull
    assert pull is not None
    assert pull.head == head


def test_a_silence_is_no_longer_because_the_clock_was_put_back(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.faults.append(Fault(429, {"Retry-After": "60"}))
    assert seen(forge, clock).presence is Presence.UNKNOWN
    assert forge.survey([watch()])["s-1"].presence is Presence.UNKNOWN
    asked = len(hub.requests)
    clock.put(-3600)
    assert forge.survey([watch()])["s-1"].presence is Presence.ALIVE
    assert len(hub.requests) > asked


def test_nothing_is_opened_where_that_is_switched_off(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    found = seen(make(auto_open=False), clock)
    assert found.presence is Presence.GONE
    assert "auto_open" in found.detail


def test_a_draft_is_seen_and_made_ready(hub: Hub, forge: GitHubForge, clock: ManualClock) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix", draft=True).number
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.draft
    assert not forge.ready(number).draft
    assert not forge.ready(number).draft


def test_a_closed_one_is_seen_closed_until_it_is_reopened(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    hub.pulls[number].state = "CLOSED"
    for _ in range(2):
        pull = seen(forge, clock, watch(number=number)).pull
        assert pull is not None
        assert (pull.number, pull.state) == (number, PullState.CLOSED)
    hub.pulls[number].state = "OPEN"
    pull = seen(forge, clock, watch(number=number)).pull
    assert pull is not None
    assert (pull.number, pull.state) == (number, PullState.OPEN)


def test_a_closed_one_gives_way_to_a_newer_one_of_its_branch(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    old = hub.open("fix")
    old.state = "CLOSED"
    hub.push("fix", {"a.txt": "2\n"})
    new = seen(forge, clock, watch(number=old.number)).pull
    assert new is not None
    assert (new.number, new.state) == (old.number + 1, PullState.OPEN)


def test_a_force_push_is_a_new_head_with_checks_of_its_own(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    old = hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    hub.run(old, Run("test", conclusion="FAILURE"))
    first = seen(forge, clock).pull
    assert first is not None
    assert first.checks is CheckState.FAILING
    new = hub.push("fix", {"a.txt": "other\n"}, force=True)
    second = seen(forge, clock).pull
    assert second is not None
    assert (second.head, second.checks) == (new, CheckState.NONE)
    assert new != old


def test_incident_18_a_renamed_branch_is_followed_by_number(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    assert seen(forge, clock).pull is not None
    hub.git("update-ref", "refs/heads/better", head)
    hub.pulls[number].branch = "better"
    hub.delete_branch("fix")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.number, pull.branch, pull.state) == (number, "better", PullState.OPEN)


def test_a_deleted_branch_leaves_its_merged_pull_request(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    seen(forge, clock)
    commit = forge.merge(number, head).commit
    hub.delete_branch("fix")
    pull = seen(forge, clock, watch(number=number)).pull
    assert pull is not None
    assert (pull.state, pull.merge_commit, pull.head) == (PullState.MERGED, commit, head)


def test_a_deleted_branch_leaves_its_closed_pull_request(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    hub.delete_branch("fix")
    hub.pulls[number].state = "CLOSED"
    hub.pulls[number].branch = "renamed-before"
    pull = seen(forge, clock, watch(number=number)).pull
    assert pull is not None
    assert (pull.number, pull.state) == (number, PullState.CLOSED)


def test_a_strangers_fork_with_the_same_branch_name_is_not_ours(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.open("fix", owner="stranger", head="a" * 40)
    assert seen(forge, clock).presence is Presence.GONE


def test_incident_18_a_pull_request_from_our_fork_is_found(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    number = hub.open("fix", owner="Me", head="a" * 40).number
    pull = seen(make(head_owner="me"), clock).pull
    assert pull is not None
    assert pull.number == number


def test_incident_18_a_transferred_repository_is_followed(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    seen(forge, clock)
    hub.transfer("newcorp", "store")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.number == number
    assert forge.merge(number, head).commit
    assert hub.pulls[number].state == "MERGED"


def test_a_retargeted_pull_request_has_its_new_base_and_is_merged_there(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    release = hub.push("release", {"r.txt": "1\n"})
    number = hub.open("fix").number
    seen(forge, clock)
    hub.pulls[number].base = "release"
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.base, pull.base_head) == ("release", release)
    assert forge.merge(number, head).commit == hub.heads()["release"]


def test_incident_11_an_unreachable_github_is_unknown_and_never_gone(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    assert seen(forge, clock).presence is Presence.ALIVE
    for fault in (
        Fault(502),
        Fault(0),
        Fault(403, {"Retry-After": "30"}, "You have exceeded a secondary rate limit"),
    ):
        hub.faults = [fault]
        found = seen(forge, clock)
        assert (found.presence, bool(found.detail)) == (Presence.UNKNOWN, True)
    clock.advance(31)
    assert seen(forge, clock).presence is Presence.ALIVE


def test_incident_11_a_wrong_token_is_unknown_and_says_what_to_do(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    found = seen(make(token="stale"), clock)
    assert found.presence is Presence.UNKNOWN
    assert "refuses the token" in found.detail


def test_check_runs_and_statuses_together_decide(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    for conclusion in ("SUCCESS", "NEUTRAL", "SKIPPED"):
        hub.run(head, Run(conclusion.lower(), conclusion=conclusion))
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.PASSING
    hub.status(head, "ci/other", "PENDING")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.PENDING
    clock.advance(1)
    hub.status(head, "ci/other", "FAILURE", "3 tests failed", "https://ci.example.org/7")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert [(run.name, run.log_tail, run.url) for run in pull.failing] == [
        ("ci/other", "3 tests failed", "https://ci.example.org/7")
    ]


def test_a_cancelled_run_fails_unless_a_newer_one_replaced_it(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    hub.run(head, Run("test", conclusion="CANCELLED"))
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.FAILING
    hub.run(head, Run("test", status="QUEUED"))
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.PENDING


@pytest.mark.parametrize("first", ["push", "pull_request"])
def test_a_cancelled_run_that_its_twin_of_another_event_replaced_does_not_count(
    hub: Hub, forge: GitHubForge, clock: ManualClock, first: str
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    for event in ("push", "pull_request"):
        hub.run(
            head, Run("test", conclusion="CANCELLED" if event == first else "SUCCESS", event=event)
        )
        clock.advance(1)
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.PASSING
    hub.run(head, Run("test", conclusion="CANCELLED", workflow="nightly"))
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.FAILING, "a run of another workflow is no twin"


def test_incident_17_no_checks_yet_is_not_passing(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.NONE


def test_reviews_decide_by_the_branchs_rules_or_by_what_counts(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number

    def review() -> ReviewState:
        pull = seen(forge, clock).pull
        assert pull is not None
        return pull.review

    assert review() is ReviewState.NONE
    hub.pulls[number].requested = 1
    assert review() is ReviewState.REQUIRED
    hub.review(number, "ada", "APPROVED")
    hub.review(number, "ada", "COMMENTED", "one more thing")
    assert review() is ReviewState.APPROVED
    hub.required_approvals = 2
    assert review() is ReviewState.REQUIRED
    hub.review(number, "bob", "CHANGES_REQUESTED", "no")
    assert review() is ReviewState.CHANGES_REQUESTED
    hub.review(number, "bob", "DISMISSED")
    assert review() is ReviewState.REQUIRED


def test_who_is_asked_for_a_review_and_who_opened_it_is_told(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    opened = hub.open("fix")

    def told() -> tuple[tuple[str, ...], bool, bool]:
        pull = seen(forge, clock).pull
        assert pull is not None
        return pull.asked, pull.asks_you, pull.own

    assert told() == ((), False, True), "nobody judges what they opened"
    opened.reviewers, opened.requested, opened.author = ["mira", "lena"], 1, "agent-bot"
    assert told() == (("lena", "mira", "a team"), False, False)
    opened.reviewers, opened.requested = [hub.login], 2
    assert told() == ((hub.login, "2 teams"), True, False)


def test_conflicts_are_seen_with_their_files(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    hub.push("fix", {"app.py": "theirs\n"})
    number = hub.open("fix").number
    hub.push("main", {"app.py": "ours\n"})
    forge = make()
    pull = forge.look(number)
    assert pull.mergeability is Mergeability.CONFLICTING


def test_one_number_nobody_has_leaves_the_others_alone(hub: Hub, forge: GitHubForge) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    found = forge.survey([watch(), watch("gone", number=77, session="s-2")])
    assert found["s-1"].presence is Presence.ALIVE
    assert (found["s-2"].presence, "#77" in found["s-2"].detail) == (Presence.UNKNOWN, True)


def test_a_pull_request_whose_opening_was_cut_off_is_unknown_and_then_found(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.faults = [Fault(502, path="/pulls")]
    assert seen(forge, clock).presence is Presence.UNKNOWN
    assert seen(forge, clock).presence is Presence.ALIVE
    assert len(hub.pulls) == 1


def test_a_question_that_is_too_much_is_asked_in_smaller_parts(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    watches = [watch(f"b{n}", session=f"s-{n}") for n in range(40)]
    hub.faults = [Fault(502)]
    assert {found.presence for found in forge.survey(watches).values()} == {Presence.UNKNOWN}
    before = len(hub.requests)
    assert {found.presence for found in forge.survey(watches).values()} == {Presence.GONE}
    assert len(hub.requests) == before + 2


def test_without_a_token_nothing_is_asked_and_it_is_said_what_to_do(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GH_CONFIG_DIR", str(hub.directory))
    found = seen(make(token=None), clock)
    assert (found.presence, "gh auth login" in found.detail, hub.requests) == (
        Presence.UNKNOWN,
        True,
        [],
    )


def test_a_refused_token_is_not_tried_at_every_tick(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    forge = make(token="stale")
    for _ in range(12):
        assert forge.survey([watch()])["s-1"].presence is Presence.UNKNOWN
        clock.advance(1)
    assert len(hub.requests) == 3
