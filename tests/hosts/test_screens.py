"""A terminal that puts nothing out shows what it showed: nobody is asked for its screen again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief
from ennio.hosts.observation import Wanted
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import RuntimeHandle
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Pane


class Terminals(Registry):
    """Terminals that count how often each was asked for its screen."""

    name = "stub"

    def __init__(self, home: Home, clock: ManualClock) -> None:
        super().__init__(home, clock)
        self.output_at: dict[str, datetime] = {}
        self.asked: list[str] = []
        self.away = False
        self.number = 1

    def runtime(self, name: str) -> Any:
        return self

    def survey(self) -> Mapping[str, Pane]:
        if self.away:
            raise Unreachable("the runtime does not answer")
        return {
            name: Pane(name, self.number, 6 + self.number, dead=False, output_at=at)
            for name, at in self.output_at.items()
        }

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        self.asked += names
        return {name: f"{name} at {self.output_at[name]}" for name in names}


class Looks:
    """Two sessions whose agents need their screens."""

    def __init__(self, root: Path) -> None:
        self.clock = ManualClock()
        self.terminals = Terminals(Home(root), self.clock)
        self.host = PluginHost(self.terminals, Home(root), self.clock)
        for name in ("a", "b"):
            self.terminals.output_at[name] = self.clock.now()
        self.clock.advance(10)

    def shown(self) -> Mapping[str, str]:
        now = self.clock.now()
        alive = {
            name: ProcessSeen(Presence.ALIVE, now, "test") for name in self.terminals.output_at
        }
        self.host._reader.surveyed(alive, 0.0)
        briefs = [
            Brief(
                name,
                "p",
                "command",
                "stub",
                "stub",
                AgentConfig(passthrough={"run": "cat"}),
                handle=RuntimeHandle(name, "stub"),
            )
            for name in alive
        ]
        contexts = [
            self.host._resolve(wanted.brief)
            for wanted in (Wanted(brief, {}, screen=True) for brief in briefs)
        ]
        shown = self.host._reader._screens(contexts)
        return {name: screen.text for name, screen in shown.items()}


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def test_only_a_terminal_that_put_something_out_is_asked_for_its_screen_again(looks: Looks) -> None:
    first = looks.shown()
    assert set(first) == {"a", "b"}
    looks.clock.advance(5)
    assert looks.shown() == first
    assert looks.terminals.asked == ["a", "b"]
    looks.terminals.output_at["b"] = looks.clock.now()
    looks.clock.advance(5)
    assert looks.shown()["b"] != first["b"]
    assert looks.terminals.asked == ["a", "b", "b"]


def test_what_an_earlier_launch_showed_is_not_taken_for_the_screen_of_the_next(
    looks: Looks,
) -> None:
    looks.shown()
    looks.clock.advance(5)
    looks.terminals.number = 2  # in the same terminal, which has put nothing out yet
    looks.shown()
    assert looks.terminals.asked == ["a", "b", "a", "b"]


def test_within_the_second_of_its_output_a_terminal_is_asked_again(looks: Looks) -> None:
    looks.terminals.output_at["a"] = looks.clock.now()
    looks.shown()
    looks.clock.advance(1)
    looks.shown()
    assert looks.terminals.asked == ["a", "b", "a"]


def test_a_screen_of_before_is_nobodys_when_the_terminal_is_gone_or_cannot_be_asked(
    looks: Looks,
) -> None:
    looks.shown()
    looks.terminals.away = True
    assert looks.shown() == {}
    looks.terminals.away = False
    del looks.terminals.output_at["a"]
    assert set(looks.shown()) == {"b"}
