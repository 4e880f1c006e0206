"""The same faults where pull requests, words and the issue lie on GitHub: its stand-in is asked
over real HTTP, git too.

A request that fails here is refused, never answered, or done without an answer.
``ENNIO_FAULTS=all`` and its companions work as in test_points.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future

import pytest

from tests.faults import points
from tests.faults.drawing import drawn, missed, plans, seeded
from tests.faults.plan import read
from tests.faults.stage import Told, chosen, play_on_github
from tests.github import published

pytestmark = pytest.mark.e2e

PLANS = plans(points.on_github())
DRAWN = drawn(points.on_github(), int(os.environ.get("ENNIO_FAULTS_ROUNDS", "2")))

JUMPS = {
    what: read(what)
    for what in (
        "told.pr_created:after=back",
        "told.ci_failing:after=forth",
        "forge.merge:before=back",
    )
}


@pytest.fixture(scope="module")
def plays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Told]]]:
    published.graphql_schema()
    published.openapi()
    with chosen(request, tmp_path_factory, play_on_github, {**PLANS, **JUMPS}, DRAWN) as futures:
        yield futures


@pytest.mark.parametrize("name", list(PLANS))
def test_the_story_on_github_ends_well_whatever_goes_wrong(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    left = missed(PLANS[name], plays[name].result().happened)
    assert not left, f"the story did not come by there: {left}"


@pytest.mark.parametrize("name", list(DRAWN))
def test_the_story_on_github_ends_well_whatever_chance_lets_go_wrong(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    print(seeded(DRAWN[name]))
    plays[name].result()


@pytest.mark.parametrize("name", list(JUMPS))
def test_a_clock_that_jumps_an_hour_changes_nothing_on_github(
    plays: Mapping[str, Future[Told]], name: str
) -> None:
    assert plays[name].result().happened == (f"{name}#1",)
