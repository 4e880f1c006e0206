"""Requests to GitHub per look, so many pull requests being open and quiet: the most that one look
took, and the mean of an hour.

A stand-in for GitHub answers over HTTP. The bare counterpart is one request for everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ennio.config.model import PluginChoice, Project
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.facts import Presence
from ennio.plugins.forge import github
from ennio.plugins.forge.interface import Forge
from ennio.plugins.registry import PluginContext
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import Shortfall
from tests.github.standin.hub import ALONE, Hub
from tests.github.standin.server import Server
from tests.github.test_figures import TICK, crowd

SIZES = (10, 100, 500)


def measure(run: Run) -> Iterator[Figure]:
    """A fresh stand-in for each size; time goes by as the clock is moved."""
    for many in run.sizes(SIZES[:2], SIZES[2:]):
        if any(run.wants(f"{kind}.{many}") for kind in ("requests", "requests.most")):
            run.say(f"requests for {many} pull requests ...")
            with _forge(run.root / str(many)) as (hub, forge, clock):
                yield from _hour(run, many, hub, forge, clock)


def _hour(run: Run, many: int, hub: Hub, forge: Forge, clock: ManualClock) -> Iterator[Figure]:
    watches, taken = crowd(hub, many), []
    for _ in range(run.times(20, 720)):
        before = len(hub.requests)
        seen = forge.survey(watches)
        if {found.presence for found in seen.values()} != {Presence.ALIVE}:
            raise Shortfall("the stand-in's pull requests were not seen")
        taken.append(len(hub.requests) - before)
        clock.advance(TICK)
    yield Figure(f"requests.{many}", sum(taken) / len(taken), "per look", 1.0, Wanted("value", 1.0))
    yield Figure(f"requests.most.{many}", max(taken), "per look", 1.0)


@contextmanager
def _forge(place: Path) -> Iterator[tuple[Hub, Forge, ManualClock]]:
    os.environ.update(ALONE)
    clock = ManualClock()
    hub = Hub(place / "hub", clock)
    server = Server(hub)
    settings = {"owner": "acme", "repo": "shop", "token": hub.token, "api_url": server.api}
    project = Project(
        id="shop",
        name="shop",
        repo="git@github.com:acme/shop.git",
        path=place,
        forge=PluginChoice("github", settings),
    )
    try:
        yield (
            hub,
            github.build(
                PluginContext(Home(place / "home"), clock, project=project, settings=settings)
            ),
            clock,
        )
    finally:
        server.close()


GROUP = Group(
    tuple(f"{kind}.{many}" for many in SIZES for kind in ("requests", "requests.most")), measure
)
