"""A Linear on loopback for every test; whatever it was asked must be valid
by the published schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker.linear import LinearTracker, build
from tests.linear.standin import KEY, Linear, Server

Tracker = Callable[..., LinearTracker]


@pytest.fixture
def linear() -> Iterator[Linear]:
    found = Linear(ManualClock())
    server = Server(found)
    yield found
    server.close()
    assert found.invalid == [], "the published schema does not know what was asked or answered"


@pytest.fixture
def tracker(linear: Linear, tmp_path: Path) -> Tracker:
    def made(**settings: Any) -> LinearTracker:
        given = {"api_key": KEY, "api_url": linear.url, **settings}
        settings = {key: value for key, value in given.items() if value is not None}
        return build(PluginContext(Home(tmp_path), linear.clock, settings=settings))

    return made
