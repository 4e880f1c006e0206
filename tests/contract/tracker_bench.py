"""The worlds the tracker contract is held in: the stub, the local one on files and on the store,
GitHub and Linear on their stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import Project
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.plugins.quota import allowance
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker import github, linear, local
from ennio.plugins.tracker.interface import Tracker
from ennio.plugins.tracker.stub import StubTracker
from tests.conftest import need
from tests.github import published
from tests.github.standin.hub import Hub
from tests.github.standin.server import Server as GitHubServer
from tests.linear.standin import KEY, Linear
from tests.linear.standin import Server as LinearServer
from tests.plugins.forge.memory_store import MemoryForgeStore

Add = Callable[[str, str, Sequence[str]], str]


@dataclass
class Bench:
    """A tracker that closes issues on merge and comments on every milestone; ``add`` is
    somebody writing an issue.
    """

    tracker: Tracker
    add: Add
    unknown: str = "404"


WISHES: dict[str, Any] = {"comment": True, "close_on_merge": True}


def stub(_path: Path, _patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    tracker = StubTracker()
    yield Bench(tracker, lambda title, body, labels: tracker.add(title, body, labels).id)


def book(path: Path, _patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    project = Project(id="shop", name="Shop", repo=str(path), path=path)
    tracker = local.LocalTracker(project, MemoryForgeStore(), ManualClock(), local.parse(WISHES))
    yield Bench(tracker, lambda title, body, labels: tracker.add(title, body, labels).id)


def files(path: Path, patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    (path / "issues").mkdir()
    yield from book(path, patch)


def on_github(
    path: Path, patch: pytest.MonkeyPatch, *, enterprise: bool = False
) -> Iterator[Bench]:
    need("git")
    published.openapi()
    patch.setattr(allowance, "_ALLOWANCES", {})
    hub = Hub(path / "hub", ManualClock())
    server = GitHubServer(hub, enterprise=enterprise)
    given = {
        "owner": hub.owner,
        "repo": hub.name,
        "token": hub.token,
        "api_url": server.api,
        **WISHES,
    }
    project = Project(id="shop", name="Shop", repo=server.git, path=path)
    try:
        tracker = github.build(
            PluginContext(Home(path), hub.clock, project=project, settings=given)
        )
        yield Bench(tracker, lambda title, body, labels: str(hub.issue(title, body, labels)))
        assert hub.invalid == []
    finally:
        server.close()


def on_linear(path: Path, patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    patch.setattr(allowance, "_ALLOWANCES", {})
    there = Linear(ManualClock())
    server = LinearServer(there)

    def add(title: str, body: str, labels: Sequence[str]) -> str:
        return there.add(f"ENG-{len(there.rows) + 1}", title, body, labels=tuple(labels)).identifier

    try:
        given = {"api_key": KEY, "api_url": there.url, **WISHES}
        yield Bench(
            linear.build(PluginContext(Home(path), there.clock, settings=given)),
            add,
            unknown="ENG-404",
        )
        assert there.invalid == []
    finally:
        server.close()


ENTERPRISE = partial(on_github, enterprise=True)
WORLDS = {
    "stub": stub,
    "book": book,
    "files": files,
    "github": on_github,
    "enterprise": ENTERPRISE,
    "linear": on_linear,
}
