"""The worlds the forge contract is held in: the stub, the local forge over git, GitHub on its
stand-in with git over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import PluginChoice, Project
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.model.facts import ForgeSeen
from ennio.model.pulls import PullRequest, ReviewState
from ennio.plugins.forge import github
from ennio.plugins.forge.interface import Forge, Watch
from ennio.plugins.forge.stub import StubForge
from ennio.plugins.quota import allowance
from ennio.plugins.registry import PluginContext
from tests.conftest import need
from tests.github import published
from tests.github.standin.hub import Fault
from tests.github.standin.hub import Hub as GitHub
from tests.github.standin.server import Server
from tests.plugins.forge.hub import AGENT, ALONE, Hub, git

SECRET = "secret-token"


@dataclass
class Bench:
    """A forge and what happens to it from outside. ``people`` say something
    on it, in their own names.
    """

    forge: Forge
    push: Callable[[str], str]
    quarrel: Callable[[str], None]
    break_it: Callable[[], None]
    people: Callable[..., PullRequest]
    clock: ManualClock


def stub(_tmp_path: Path, _patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    clock = ManualClock()
    forge = StubForge(clock)

    def break_it() -> None:
        forge.trouble = Unreachable("the forge is down")

    def quarrel(branch: str) -> None:
        forge.conflict(
            next(pull.number for pull in forge.pulls() if pull.branch == branch), "app.py"
        )

    yield Bench(forge, forge.push, quarrel, break_it, forge.review, clock)


def local(tmp_path: Path, _patch: pytest.MonkeyPatch) -> Iterator[Bench]:
    need("git")
    clock = ManualClock()
    hub = Hub(tmp_path, clock)
    pushes = iter(range(1000))

    def quarrel(branch: str) -> None:
        hub.push(branch, {"app.py": "theirs\n"})
        hub.push("main", {"app.py": "ours\n"})

    def push(branch: str) -> str:
        return hub.push(branch, {f"{branch}.txt": f"{next(pushes)}\n"})

    forge = hub.forge()
    yield Bench(
        forge, push, quarrel, lambda: hub.path.rename(tmp_path / "away"), forge.review, clock
    )
    hub.end()


def on_github(
    tmp_path: Path, patch: pytest.MonkeyPatch, *, enterprise: bool = False
) -> Iterator[Bench]:
    """Everything that is asked and answered is held against what GitHub publishes."""
    need("git")
    published.graphql_schema()
    published.openapi()
    patch.setattr(allowance, "_ALLOWANCES", {})
    clock = ManualClock()
    hub = GitHub(tmp_path / "github", clock)
    server = Server(hub, enterprise=enterprise)
    try:
        yield _GitHubWorld(tmp_path, hub, server, clock).bench()
        assert hub.invalid == []
    finally:
        server.close()


class _GitHubWorld:
    """A clone that pushes over HTTP, the forge on the stand-in, and people at the other end."""

    def __init__(self, root: Path, hub: GitHub, server: Server, clock: ManualClock) -> None:
        self.hub, self.clock, self.clone = hub, clock, root / "clone"
        self.pushes = 0
        git(root, "clone", "-q", server.git, str(self.clone))
        given: dict[str, Any] = {"api_url": server.api, "token": SECRET}
        choice = PluginChoice("github", given)
        project = Project(
            id="shop",
            name="Shop",
            repo="git@github.com:acme/shop.git",
            path=self.clone,
            forge=choice,
        )
        self.forge = github.build(
            PluginContext(Home(root / "home"), clock, project=project, settings=given)
        )

    def bench(self) -> Bench:
        return Bench(
            Looking(self.forge, self.clock),
            self.push,
            self.quarrel,
            self.break_it,
            self.people,
            self.clock,
        )

    def push(self, branch: str) -> str:
        self.pushes += 1
        return self.commit(branch, f"{branch}.txt", f"{self.pushes}\n")

    def commit(self, branch: str, name: str, text: str) -> str:
        git(self.clone, "fetch", "-q", "--prune", "origin")
        there = git(self.clone, "branch", "--remotes", "--list", f"origin/{branch}")
        git(
            self.clone,
            "checkout",
            "-q",
            "--no-track",
            "-B",
            branch,
            f"origin/{branch if there else 'main'}",
        )
        (self.clone / name).write_text(text)
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "-q", "-m", f"change {name}")
        git(self.clone, "push", "-q", "origin", branch)
        return git(self.clone, "rev-parse", "HEAD")

    def quarrel(self, branch: str) -> None:
        self.commit(branch, "app.py", "theirs\n")
        self.commit("main", "app.py", "ours\n")

    def break_it(self) -> None:
        self.hub.faults = [Fault(502) for _ in range(100)]

    def people(
        self,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        *,
        path: str | None = None,
        line: int | None = None,
    ) -> PullRequest:
        self.clock.advance(1)
        if path is not None:
            pull = self.hub.pulls[number]
            there = next(
                (thread for thread in pull.threads if (thread.path, thread.line) == (path, line)),
                None,
            )
            self.hub.answer(there, author, body) if there else self.hub.thread(
                number, author, body, path, line
            )
        elif decision is ReviewState.NONE:
            self.hub.remark(number, author, body)
        else:
            self.hub.review(number, author, decision.value.upper(), body)
        return self.forge.look(number)


class Looking:
    """A forge that paces its looks: before each survey it is told to look, and
    the time for that passes.
    """

    def __init__(self, forge: Any, clock: ManualClock) -> None:
        self._forge = forge
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        self._forge.nudge(None)
        self._clock.advance(2)
        found: Mapping[str, ForgeSeen] = self._forge.survey(watches)
        return found


WORLDS = {
    "stub": stub,
    "local": local,
    "github": on_github,
    "enterprise": partial(on_github, enterprise=True),
}
ENVIRONMENT = {**ALONE, **AGENT}
