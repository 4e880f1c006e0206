"""A fault at every point of every effect: whatever goes wrong there, the
story comes to the same end.

Every side of every point once, several in one story. ``ENNIO_FAULTS=all`` plays every fault at
every point, each in a story of its own (half an hour or so); ``ENNIO_FAULT_PLAN='...'`` plays
one plan; ``ENNIO_FAULTS_ROUNDS`` is how many random plans are played, and ``ENNIO_FAULTS_SEED``
plays the same ones again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future

import pytest

from tests.faults import points
from tests.faults.drawing import drawn, missed, plans, seeded
from tests.faults.plan import read
from tests.faults.stage import Told, chosen, play

pytestmark = pytest.mark.e2e

PLANS = plans(points.of_the_story())
DRAWN = drawn(points.of_the_story(), int(os.environ.get("ENNIO_FAULTS_ROUNDS", "4")))

FOUND = {
    "an approval whose answer is lost is seen all the same": read(
        "commit.forge_reviews:after=lost"
    ),
    "and after two deaths": read(
        "workspace.create:after=kill;commit.forge_reviews:after=lost;workspace.inspect:before=kill"
    ),
}
"""What once went wrong."""


@pytest.fixture(scope="module")
def plays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Told]]]:
    with chosen(request, tmp_path_factory, play, {**PLANS, **FOUND}, DRAWN) as futures:
        yield futures


@pytest.mark.parametrize("name", list(PLANS))
def test_the_story_ends_well_whatever_goes_wrong(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    left = missed(PLANS[name], plays[name].result().happened)
    assert not left, f"the story did not come by there: {left}"


@pytest.mark.parametrize("name", list(DRAWN))
def test_the_story_ends_well_whatever_chance_lets_go_wrong(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    print(seeded(DRAWN[name]))
    plays[name].result()


@pytest.mark.parametrize("name", list(FOUND))
def test_the_story_ends_well_where_it_once_did_not(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    assert not missed(FOUND[name], plays[name].result().happened)


def test_every_declared_point_is_in_one_of_the_stories_or_says_why_not() -> None:
    found = {point.name for point in points.declared()}
    assert set(points.ONLY_ON_GITHUB) <= set(points.to_pass()), "a point that is not there"
    here, there = set(points.of_the_story()), set(points.on_github())
    assert {
        "workspace.create",
        "runtime.paste",
        "forge.merge",
        "commit.messages",
        "told.status_changed",
        "order.spawn",
    } <= here
    assert {
        "forge.merge",
        "tracker.tell",
        "request.put.pulls.merge",
        "request.query.Survey",
    } <= there
    kept = set(points.of_retention())
    assert kept == set(points.OF_RETENTION), "a point that is not there"
    kept |= {*points.OF_RELOAD, *points.OF_NODES}
    assert kept <= set(points.to_pass()), "a point that is not there"
    metered = set(points.of_metering())
    assert metered == set(points.OF_METERING), "a point that is not there"
    assert here | there | kept | metered == found - {
        point.name for point in points.declared() if point.because
    }
    ordered = {order.point for plan in PLANS.values() for order in plan}
    assert os.environ.get("ENNIO_FAULT_PLAN") or ordered == here
