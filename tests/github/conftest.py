"""A hub on a port, and the forge and tracker that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import PluginChoice, Project
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.plugins.forge import github as github_forge
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.quota import allowance
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker import github as tracker
from ennio.plugins.tracker.github import GitHubTracker
from tests.conftest import need
from tests.github import published
from tests.github.standin.hub import ALONE, Hub
from tests.github.standin.server import Server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Hub:
    need("git")
    published.graphql_schema()
    published.openapi()
    return Hub(tmp_path / "hub", clock)


@pytest.fixture
def server(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Everything that is asked and answered while it runs is valid by the published schemas."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(allowance, "_ALLOWANCES", {})
    server = Server(hub)
    yield server
    server.close()
    assert hub.invalid == []


def context(
    tmp_path: Path, clock: ManualClock, server: Server, settings: dict[str, Any]
) -> PluginContext:
    given = {
        "owner": "acme",
        "repo": "shop",
        "token": server.hub.token,
        "api_url": server.api,
        **settings,
    }
    choice = PluginChoice("github", given)
    project = Project(
        id="shop",
        name="shop",
        repo="git@github.com:acme/shop.git",
        path=tmp_path / "shop",
        forge=choice,
    )
    return PluginContext(Home(tmp_path / "home"), clock, project=project, settings=given)


@pytest.fixture
def make(tmp_path: Path, clock: ManualClock, server: Server) -> Callable[..., GitHubForge]:
    return lambda **settings: github_forge.build(context(tmp_path, clock, server, settings))


@pytest.fixture
def forge(make: Callable[..., GitHubForge]) -> GitHubForge:
    return make()


@pytest.fixture
def issues(tmp_path: Path, clock: ManualClock, server: Server) -> Callable[..., GitHubTracker]:
    return lambda **settings: tracker.build(context(tmp_path, clock, server, settings))
