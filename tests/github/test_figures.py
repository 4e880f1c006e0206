"""How many requests it takes: a hundred pull requests, a quiet hour, a quota that runs out.
The figures are printed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ennio.model.clock import ManualClock
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from tests.github.standin.hub import Fault, Hub, Quota, Run

TICK = 5.0


def crowd(hub: Hub, count: int) -> list[Watch]:
    """So many open pull requests, each of a session, all green."""
    head = hub.push("work", {"a.txt": "1\n"})
    hub.git(
        "update-ref",
        "--stdin",
        given="".join(f"create refs/heads/b{n} {head}\n" for n in range(count)).encode(),
    )
    hub.run(head, Run("test"))
    for n in range(count):
        hub.open(f"b{n}").requested = 1
    return [
        Watch(f"s-{n}", f"b{n}", "main", number=None, idle=True, title="t") for n in range(count)
    ]


Show = Callable[[str], None]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Figures belong in the output, also when all is well."""

    def printed(words: str) -> None:
        with capsys.disabled():
            print(f"\n  github: {words}")

    return printed


def test_incident_33_a_hundred_pull_requests_take_at_most_three_requests_a_tick(
    hub: Hub, forge: GitHubForge, clock: ManualClock, show: Show
) -> None:
    watches = crowd(hub, 100)
    most = []
    for _ in range(4):
        before = len(hub.requests)
        found = forge.survey(watches)
        assert {seen.presence for seen in found.values()} == {Presence.ALIVE}
        most.append(len(hub.requests) - before)
        clock.advance(500)
    show(f"100 open pull requests: {max(most)} requests per tick")
    assert max(most) <= 3


def test_incident_33_a_quiet_hour_of_a_hundred_pull_requests(
    hub: Hub, forge: GitHubForge, clock: ManualClock, show: Show
) -> None:
    watches = crowd(hub, 100)
    hub.cost = 20  # points that GitHub counts for such a question
    for _ in range(int(3600 / TICK)):
        found = forge.survey(watches)
        clock.advance(TICK)
    assert {seen.presence for seen in found.values()} == {Presence.ALIVE}
    points = hub.quotas["graphql"].limit - hub.quotas["graphql"].remaining
    show(
        f"a quiet hour, 100 open pull requests, a tick every {TICK:g} s: {len(hub.requests)} "
        f"requests, {points} points"
    )
    assert len(hub.requests) <= 150


def test_incident_11_an_exhausted_quota_leaves_no_wrong_status_and_nothing_is_asked_before_its_reset(
    hub: Hub, forge: GitHubForge, clock: ManualClock, show: Show
) -> None:
    watches = crowd(hub, 20)
    head = hub.pulls[1].head
    reset = clock.now() + timedelta(minutes=30)
    hub.quotas["graphql"] = Quota(5000, 3, reset)
    truth = {True: CheckState.PASSING, False: CheckState.FAILING}
    wrong, early, asked_after_reset = 0, 0, None
    red_at = clock.now() + timedelta(minutes=10)
    while clock.now() < reset + timedelta(minutes=3):
        if clock.now() >= red_at and len(hub.runs[head]) == 1:
            hub.run(head, Run("lint", conclusion="FAILURE", app="other"))
        before = len(hub.requests)
        refused_before = sum(1 for *_, status in hub.requests if status == 403)
        found = forge.survey(watches)
        known_at = {
            session: seen.at
            for session, seen in found.items()
            if seen.presence is not Presence.UNKNOWN
        }
        for session, at in known_at.items():
            pull = found[session].pull
            assert pull is not None
            wrong += pull.checks is not truth[at < red_at]
        if refused_before and clock.now() < reset:
            early += len(hub.requests) - before
        if clock.now() >= reset and asked_after_reset is None and len(hub.requests) > before:
            asked_after_reset = clock.now() - reset
        clock.advance(TICK)
    found = forge.survey(watches)
    assert {seen.pull.checks for seen in found.values() if seen.pull} == {CheckState.FAILING}
    assert asked_after_reset is not None
    show(
        f"a quota that ran out for half an hour, 20 pull requests: {wrong} wrong states, {early} "
        "requests before the reset, "
        f"all caught up {asked_after_reset.total_seconds():g} s after it"
    )
    assert (wrong, early) == (0, 0)
    assert asked_after_reset <= timedelta(seconds=2 * TICK)


def test_observations_leave_a_reserve_for_actions(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    watches = crowd(hub, 1)
    hub.quotas["graphql"] = Quota(100, 11, clock.now() + timedelta(minutes=30))
    assert forge.survey(watches)["s-0"].presence is Presence.ALIVE
    clock.advance(1500)
    found = forge.survey(watches)["s-0"]
    assert (found.presence, "kept for actions" in found.detail) == (Presence.UNKNOWN, True)
    before = len(hub.requests)
    hub.push("new", {"b.txt": "1\n"})
    forge.client.send(
        "POST", forge.client.address.at("issues", 1, "comments"), {"body": "still possible"}
    )
    assert len(hub.requests) == before + 1


def test_checks_that_run_are_looked_at_more_often_than_reviewers_are(
    hub: Hub, forge: GitHubForge, clock: ManualClock, show: Show
) -> None:
    watches = crowd(hub, 2)
    busy = hub.push("b1", {"busy.txt": "1\n"})
    hub.run(busy, Run("test", status="IN_PROGRESS"))

    def asked(minutes: int, watch: Watch) -> int:
        before = len(hub.requests)
        for _ in range(int(minutes * 60 / TICK)):
            forge.survey([watch])
            clock.advance(TICK)
        return len(hub.requests) - before

    waiting, running = asked(5, watches[0]), asked(5, watches[1])
    show(
        f"five minutes: {running} requests while checks run, {waiting} while a reviewer is awaited"
    )
    assert running >= 3 * waiting > 0


def test_retry_after_is_obeyed_and_silence_ends_with_it(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    watches = crowd(hub, 1)
    hub.faults = [Fault(429, {"Retry-After": "120"}, "You have exceeded a secondary rate limit")]
    assert forge.survey(watches)["s-0"].presence is Presence.UNKNOWN
    before = len(hub.requests)
    for _ in range(23):
        clock.advance(TICK)
        assert forge.survey(watches)["s-0"].presence is Presence.UNKNOWN
    assert len(hub.requests) == before
    clock.advance(2 * TICK)
    assert forge.survey(watches)["s-0"].presence is Presence.ALIVE


def test_trouble_opens_a_breaker_that_says_so_and_closes_again(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    watches = crowd(hub, 1)
    hub.faults = [Fault(502) for _ in range(3)]
    for _ in range(3):
        assert forge.survey(watches)["s-0"].presence is Presence.UNKNOWN
    before = len(hub.requests)
    found = forge.survey(watches)["s-0"]
    assert "failed 3 times in a row" in found.detail
    assert len(hub.requests) == before
    clock.advance(16)
    assert forge.survey(watches)["s-0"].presence is Presence.ALIVE


def test_two_projects_with_one_token_share_one_budget(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    one, two = make(), make(pace=2)
    watches = crowd(hub, 1)
    hub.faults = [Fault(429, {"Retry-After": "60"})]
    assert one.survey(watches)["s-0"].presence is Presence.UNKNOWN
    before = len(hub.requests)
    assert two.survey(watches)["s-0"].presence is Presence.UNKNOWN
    assert len(hub.requests) == before
    assert one.client.allowance is two.client.allowance


def test_a_nudge_makes_it_immediate_and_costs_one_request(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    watches = crowd(hub, 3)
    forge.survey(watches)
    clock.advance(TICK)
    before = len(hub.requests)
    head = hub.push("b1", {"x.txt": "1\n"})
    forge.survey(watches)
    assert len(hub.requests) == before
    forge.nudge(2)
    forge.nudge(2)
    pull = forge.survey(watches)["s-1"].pull
    assert pull is not None
    assert pull.head == head
    assert len(hub.requests) == before + 1
