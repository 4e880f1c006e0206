"""A forge in trouble for an hour: whatever it answers nothing is believed of it, little is asked,
and afterwards all is seen again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState
from ennio.plugins.forge.github.forge import GitHubForge
from tests.conftest import eventually
from tests.faults import on_github
from tests.faults.clocks import put_clock
from tests.faults.github_account import settle
from tests.faults.on_github import ACTIONS, ADA, OnGitHub
from tests.faults.stage import Told, names_of, side_by_side
from tests.faults.teller import Wired
from tests.faults.trouble import TROUBLE
from tests.github import published
from tests.github.conftest import clock, forge, hub, make, server
from tests.github.standin.hub import Hub, Run
from tests.github.standin.server import Server
from tests.github.test_figures import TICK, crowd

__all__ = ["clock", "forge", "hub", "make", "server"]

HOUR = 3600
MOST = 400  # requests in an hour of trouble; a poll that minds nothing makes 720


@pytest.mark.parametrize("kind", list(TROUBLE))
def test_an_hour_of_trouble_is_an_hour_of_not_knowing(
    hub: Hub, server: Server, forge: GitHubForge, clock: ManualClock, kind: str
) -> None:
    watches = crowd(hub, 20)
    assert {seen.presence for seen in forge.survey(watches).values()} == {Presence.ALIVE}
    head = hub.pulls[1].head
    server.trouble = TROUBLE[kind]
    hub.run(head, Run("lint", conclusion="FAILURE", app="other"))
    forge.nudge(None)
    asked, sure = len(hub.requests), 0
    for number in range(int(HOUR / TICK)):
        found = forge.survey(watches)
        assert set(found) == {watch.session_id for watch in watches}
        sure += sum(1 for seen in found.values() if seen.presence is Presence.GONE)
        if number > 60:  # past what was seen before and still holds
            assert {seen.presence for seen in found.values()} == {Presence.UNKNOWN}
            assert all(seen.detail for seen in found.values())
        clock.advance(TICK)
    asked = len(hub.requests) - asked
    print(f"{kind}: {asked} requests in the hour")
    assert sure == 0, "what cannot be asked is not gone"
    assert 0 < asked <= (HOUR / 300 + 2 if kind.endswith("retry-after") else MOST)
    server.trouble = None
    for _ in range(int(400 / TICK)):
        found = forge.survey(watches)
        clock.advance(TICK)
    assert {seen.presence for seen in found.values()} == {Presence.ALIVE}
    assert {seen.pull.checks for seen in found.values() if seen.pull} == {CheckState.FAILING}, (
        "what happened meanwhile is seen"
    )


OWN = ("activity_changed", "message_delivered", "branch_changed")
"""What is told of the agent itself and of its branch, which can be seen all the time."""
STEP = 300.0  # seconds the clock is put forward while nothing is asked


def opened(teller: OnGitHub) -> bool:
    """The pull request is there, and Actions have not begun yet."""
    return "greet" in teller.ids and teller.sessions[teller.ids["greet"]]["status"] == "pr_draft"


def pushed(teller: OnGitHub) -> bool:
    """All that was asked for is pushed and green, Ennio has seen that, and it waits for ada."""
    pull = teller.pull_of("greet") if "greet" in teller.ids else None
    known = teller.seen("greet") if pull is not None and teller.on_head(pull, "dated") else ""
    return pull is not None and pull.head in known and '"checks":"passing"' in known


BEGINNINGS = {ACTIONS: opened, ADA: pushed}
"""When the trouble begins, by who has something to say meanwhile."""


def in_trouble(root: Path, who: str) -> Told:
    """The story, in which GitHub is in every kind of trouble for more than an hour."""
    with on_github.told(root) as (house, follower, teller):
        teller.away = who
        eventually(
            lambda: teller._step() or BEGINNINGS[who](teller),
            60,
            "the story has come to where the trouble begins",
        )
        hour_of_trouble(house, teller)
        teller.play()
        settle(house, teller, follower)
        return Told((), teller.starts)


def hour_of_trouble(house: Wired, teller: OnGitHub) -> None:
    """Every kind of trouble is met at least once; what happens on GitHub meanwhile is not known,
    and nothing else is believed.
    """
    hub, passed, first, last = teller.hub, 0.0, len(teller.hub.requests), house.events()[-1]["seq"]
    for kind, trouble in TROUBLE.items():
        teller.server.trouble, asked = trouble, len(hub.requests)
        while len(hub.requests) == asked:
            passed += STEP
            assert passed < 12 * HOUR, f"{kind}: it is never asked again"
            put_clock(house.ground.home, passed)
            with suppress(pytest.fail.Exception):
                eventually(lambda: len(hub.requests) > asked, 0.6)  # noqa: B023
        teller.away = ""
        teller.go_on()
    told = [
        event
        for event in house.events(session_id=teller.ids["greet"])
        if event["seq"] > last and event["event_type"] not in OWN
    ]
    print(f"{passed / HOUR:.1f} hours of trouble, {len(hub.requests) - first} requests")
    assert passed >= HOUR
    lost = [event for event in told if event["event_type"] == "signal_lost"]
    assert [event["data"]["source"] for event in lost] == ["github"], (
        "that it cannot be seen is told, once"
    )
    assert [event["message"] for event in told if event not in lost] == []
    teller.server.trouble = None
    put_clock(house.ground.home, passed + HOUR / 4)  # as long as it keeps silent at most


@pytest.fixture(scope="module")
def hours(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Told]]]:
    """A story for each beginning that was chosen."""
    published.graphql_schema()
    published.openapi()
    root = tmp_path_factory.mktemp("hours")
    with side_by_side(
        {
            what: partial(in_trouble, root / what, what)
            for what in names_of(request, "hours", "what")
        }
    ) as futures:
        yield futures


@pytest.mark.e2e
@pytest.mark.parametrize("what", list(BEGINNINGS))
def test_a_house_outlasts_an_hour_of_trouble_believes_none_of_it_and_catches_up(
    hours: Mapping[str, Future[Told]], what: str
) -> None:
    assert hours[what].result().starts == 1
