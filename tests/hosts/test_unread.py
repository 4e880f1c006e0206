"""An agent that names its files says the same without being read; while it
rests it is not read at all.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief
from ennio.hosts.observation import Wanted
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.reader import Reader
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity, RuntimeHandle
from ennio.plugins.agent import jsonl, opencode_database
from ennio.plugins.agent.interface import AgentContext, FileBacked
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Pane
from tests.hosts.desktop import WORLDS, age
from tests.properties import examples

SETTINGS = {"command": AgentConfig(passthrough={"run": "cat", "interactive": True})}


class OneTerminal(Registry):
    """The shipped agents, in a runtime that shows what it is told to."""

    screen: str | None = None
    name = "stub"

    def runtime(self, name: str) -> Any:
        return self

    def workspace(self, name: str) -> Any:
        return None

    def survey(self) -> Mapping[str, Pane]:
        return {"p-1": Pane("p-1", 1, 7, dead=False)}

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        return {} if self.screen is None else dict.fromkeys(names, self.screen)


@dataclass(slots=True)
class Look:
    """Who reads, how far it has read, and what it heard last."""

    reader: Reader
    sparing: bool
    cursor: Mapping[str, str] = field(default_factory=dict)
    said: AgentSeen | None = None


class Pair:
    """Two readers of one agent: one reads it at every look, the other when it has to."""

    def __init__(self, kind: str, root: Path) -> None:
        self.world, self.clock = WORLDS[kind], ManualClock()
        home = Home(root / "home")
        self.plugins = OneTerminal(home, self.clock)
        self.brief = Brief(
            "p-1", "p", kind, "stub", "stub", SETTINGS.get(kind, AgentConfig()), path=str(root / "w"), base="main",
            handle=RuntimeHandle("p-1", "stub"),
        )  # fmt: skip
        host = PluginHost(self.plugins, home, self.clock)
        at = host._resolve(self.brief)
        self.context, self.agent = at.context, at.agent
        self.steady, self.sparing = (
            Look(Reader(host._resolve, self.clock, host._news), sparing)
            for sparing in (False, True)
        )
        self.title, self.number = "", 1

    @property
    def screen(self) -> str | None:
        return self.plugins.screen

    @screen.setter
    def screen(self, text: str | None) -> None:
        self.plugins.screen = text

    def look(self, by: Look) -> AgentSeen:
        now = self.clock.now()
        process = ProcessSeen(
            Presence.ALIVE,
            now,
            "test",
            pid=6 + self.number,
            number=self.number,
            title=self.title,
            output_at=now,
        )
        by.reader.surveyed({"p-1": process}, 0.0)
        wanted = Wanted(
            self.brief, by.cursor, screen=True, afresh=by.said is None or not by.sparing
        )
        reading = by.reader.observe([wanted])["p-1"]
        by.cursor, by.said = reading.cursor, reading.agent or by.said
        assert by.said is not None
        return by.said

    def looks(self) -> tuple[AgentSeen, AgentSeen]:
        """What both say now."""
        return self.look(self.steady), self.look(self.sparing)

    def write(self, which: int) -> None:
        if self.world.writes:
            self.world.writes[which % len(self.world.writes)](
                self.context, self.clock.now().timestamp()
            )

    def settle(self) -> None:
        """Looks until nothing is left to be read."""
        for _ in range(4):
            self.looks()
            self.clock.advance(0.5)


@contextmanager
def pair(kind: str) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as root, mock.patch.dict(os.environ, {"HOME": root}):
        for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
            os.environ.pop(name, None)
        yield Pair(kind, Path(root))


@contextmanager
def counted(of: Pair) -> Iterator[list[str]]:
    """How often the agent is read meanwhile."""
    reads: list[str] = []
    observe = of.agent.observe

    def counting(context: AgentContext, *more: object) -> object:
        reads.append(context.session_id)
        return observe(context, *more)  # type: ignore[arg-type]

    with mock.patch.object(type(of.agent), "observe", lambda _, *given: counting(*given)):
        yield reads


# seconds until the look, what is written before it, what the screen and the title are then; -1 is
# nothing, and as before
STEPS = st.lists(
    st.tuples(
        st.sampled_from((0.3, 0.7, 1.0, 1.0, 5.0, 29.5, 31.0)),
        st.sampled_from((-1, -1, -1, *range(8))),
        st.sampled_from((-1, -1, -1, *range(6))),
        st.sampled_from((-1, -1, -1, -1, *range(3))),
        st.sampled_from((False,) * 15 + (True,)),
    ),
    max_size=25,
)


@pytest.mark.parametrize("kind", list(WORLDS))
@settings(deadline=None, max_examples=examples(30))
@given(steps=STEPS)
def test_an_agent_that_names_its_files_says_the_same_without_being_read(
    kind: str, steps: list[tuple[float, int, int, int, bool]]
) -> None:
    with (
        pair(kind) as both,
        mock.patch.object(jsonl, "_CHUNK", 300),
    ):  # so that one look is often not enough
        screens = (*both.world.screens, "no words that mean anything", None)
        for seconds, written, shown, title, again in steps:
            both.clock.advance(seconds)
            if written >= 0:
                both.write(written)
            if shown >= 0:
                both.screen = screens[shown % len(screens)]
            if title >= 0:
                both.title = both.world.titles[title % len(both.world.titles)]
            both.number += again
            age(both.context.home)
            for pause in (
                1.0,
                1.0,
                0.0,
            ):  # the second look finds what the first one left, the third one nothing
                steady, sparing = both.looks()
                assert sparing == steady
                both.clock.advance(pause)


@pytest.mark.parametrize("kind", list(WORLDS))
def test_incident_35_an_agent_at_rest_is_neither_read_nor_written_of(kind: str) -> None:
    with pair(kind) as both:
        both.screen = both.world.screens[0]
        for number in range(len(both.world.writes)):
            if not (
                kind == "opencode" and number == 4
            ):  # a database that is none is tried again and again
                both.write(number)
                both.clock.advance(1)
        age(both.context.home)
        both.settle()
        cursor = both.sparing.cursor
        with counted(both) as reads:
            for seconds in (1.0,) * 60 + (3600.0,) * 24:
                both.clock.advance(seconds)
                both.look(both.sparing)
        assert reads == []
        assert both.sparing.cursor is cursor, "nothing is there to be written"


@pytest.mark.parametrize("kind", ["claude-code", "codex", "aider", "opencode"])
def test_a_silence_that_becomes_too_long_is_noticed_though_nothing_changes(kind: str) -> None:
    with pair(kind) as both:
        both.screen = both.world.screens[0]
        both.settle()
        both.clock.advance(3600)
        assert both.look(both.sparing).silent_since is None
        both.screen = None
        both.clock.advance(1)
        begun = both.clock.now()
        for _ in range(30):
            assert both.look(both.sparing).silent_since is None
            both.clock.advance(1)
        both.clock.advance(1)
        assert both.look(both.sparing).silent_since == begun


def test_a_screen_that_contradicts_for_long_enough_is_believed_though_nothing_changes() -> None:
    with pair("claude-code") as both:
        both.screen = both.world.screens[0]
        both.write(0)
        both.write(4)
        age(both.context.home)
        both.settle()
        both.write(1)
        age(both.context.home)
        both.clock.advance(0.5)
        assert both.look(both.sparing).activity is Activity.ACTIVE
        both.clock.advance(0.6)
        assert both.look(both.sparing).activity is Activity.READY


def test_what_is_written_twice_within_one_tick_of_the_file_system_is_read_both_times() -> None:
    with pair("claude-code") as both:
        both.screen = both.world.screens[0]
        both.write(4)
        age(both.context.home)
        cost = both.context.directory / "cost.json"
        cost.write_text('{"conversations": {"c": {"total": 0.1}}}')
        now = os.stat(cost).st_mtime_ns
        both.settle()
        cost.write_text('{"conversations": {"c": {"total": 0.2}}}')
        os.utime(cost, ns=(now, now))
        usage = both.look(both.sparing).usage
        assert usage is not None
        assert usage.cost_usd == Decimal("0.2")


def test_a_database_that_could_not_be_read_is_tried_again_though_it_does_not_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opencode_database, "_PATIENCE", 0.0)
    with pair("opencode") as both:
        both.write(0)
        age(both.context.home)
        other = sqlite3.connect(opencode_database.database(both.context), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        both.settle()
        assert both.look(both.sparing).activity is None
        other.close()
        assert both.look(both.sparing).activity is Activity.ACTIVE


def test_an_agent_that_has_yet_to_find_its_files_is_read_at_every_look() -> None:
    for kind in ("claude-code", "codex"):
        with pair(kind) as both, counted(both) as reads:
            assert isinstance(both.agent, FileBacked)
            both.screen = both.world.screens[0]
            for _ in itertools.repeat(None, 5):
                both.clock.advance(1)
                both.look(both.sparing)
            assert len(reads) == 5


@pytest.mark.parametrize("kind", list(WORLDS))
def test_whatever_it_writes_is_noticed_and_so_is_a_file_that_appears(kind: str) -> None:
    with pair(kind) as both:
        for which in (*range(len(both.world.writes)), *range(len(both.world.writes))):
            both.settle()
            both.clock.advance(2)
            both.write(which)
            age(both.context.home)
            steady, sparing = both.looks()
            assert sparing == steady
        assert both.world.writes == () or (steady.usage, steady.activity) != (None, None)


def test_the_clock_alone_may_be_put_back() -> None:
    with pair("aider") as both:
        both.settle()
        both.clock.put(-3600)
        steady, sparing = both.looks()
        assert steady == sparing
