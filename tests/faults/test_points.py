"""A fault at every point of every effect: whatever goes wrong there, the story comes to the same end.

Every side of every point once, several in one story. ``ENNIO_FAULTS=all`` plays every fault at every point, each in a
story of its own (an hour or so); ``ENNIO_FAULT_PLAN='...'`` plays one plan; ``ENNIO_FAULTS_ROUNDS`` is how many random plans
are played, and ``ENNIO_FAULTS_SEED`` plays the same ones again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial

import pytest

from tests.faults import points
from tests.faults.plan import Order, When, read, write
from tests.faults.stage import Plan, Told, play, side_by_side

pytestmark = pytest.mark.e2e

TOGETHER = 10  # orders in one story
RANDOM = 6
ROUNDS = int(os.environ.get("ENNIO_FAULTS_ROUNDS", "4"))
SEED = int(os.environ.get("ENNIO_FAULTS_SEED") or random.SystemRandom().randrange(10**6))


def _plans() -> dict[str, Plan]:
    names = points.of_the_story()
    if text := os.environ.get("ENNIO_FAULT_PLAN"):
        return {"given": read(text)}
    if os.environ.get("ENNIO_FAULTS") == "all":
        return {str(order): (order,) for order in points.every(names)}
    orders = points.once(names)
    count = -(-len(orders) // TOGETHER)
    # every count-th, so that what goes wrong in one story lies far apart in it
    return {f"once-{number}": tuple(orders[number::count]) for number in range(count)}


def _random(number: int) -> Plan:
    dice = random.Random(f"{SEED}/{number}")
    drawn = []
    for _ in range(RANDOM):
        point, when = dice.choice(points.of_the_story()), dice.choice(list(When))
        drawn.append(Order(point, when, dice.choice(points.faults(point, when)), dice.randint(1, 5)))
    return tuple(drawn)


PLANS = _plans()
DRAWN = {f"random-{number}": _random(number) for number in range(ROUNDS)}


@pytest.fixture(scope="module")
def plays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Told]]]:
    """The stories of the tests that were chosen, all of them begun."""
    root = tmp_path_factory.mktemp("faults")
    chosen = {item.callspec.params["name"] for item in request.session.items if "plays" in getattr(item, "fixturenames", ())}
    runtimes = {name: "process" if name in DRAWN and number % 2 else "tmux" for number, name in enumerate(DRAWN | PLANS)}
    begun: dict[str, Callable[[], Told]] = {
        name: partial(play, root / str(number), plan, runtimes[name])
        for number, (name, plan) in enumerate((PLANS | DRAWN).items())
        if name in chosen
    }
    with side_by_side(begun) as futures:
        yield futures


@pytest.mark.parametrize("name", list(PLANS))
def test_the_story_ends_well_whatever_goes_wrong(plays: Mapping[str, Future[Told]], name: str) -> None:
    done = plays[name].result()
    missed = {str(order) for order in PLANS[name]} - set(done.happened)
    assert not missed, f"the story did not come by there: {missed}"


@pytest.mark.parametrize("name", list(DRAWN))
def test_the_story_ends_well_whatever_chance_lets_go_wrong(plays: Mapping[str, Future[Told]], name: str) -> None:
    print(f"faults seed {SEED}; ENNIO_FAULTS_SEED={SEED} plays it again: {write(DRAWN[name])}")
    plays[name].result()


def test_every_point_is_passed_or_excused_and_no_excuse_is_idle() -> None:
    found = {*points.calls(), *points.commits(), points.FAN_OUT}
    assert set(points.EXCUSED) <= found, "an excuse for a point that is not there"
    assert {"workspace.create", "runtime.paste", "scm.merge", "commit.messages", "told.status_changed"} <= set(points.of_the_story())
    ordered = {order.point for plan in PLANS.values() for order in plan}
    assert os.environ.get("ENNIO_FAULT_PLAN") or ordered == found - set(points.EXCUSED)
