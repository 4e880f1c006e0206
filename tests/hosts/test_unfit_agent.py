"""Sessions whose agent cannot be had with the settings there are now are looked after all the same."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ennio.actors.session_context import brief
from ennio.config.model import AgentConfig, Project
from ennio.hosts.brief import Brief, HookAddress
from ennio.hosts.observation import Wanted
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Invalid, Refused
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import Session, SessionStatus
from ennio.plugins.registry import Registry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANOTHERS = AgentConfig(passthrough={"run": "true"})


def _brief(root: Path, name: str, agent: str, config: AgentConfig) -> Brief:
    return Brief(name, "p", agent, "stub", "stub", config, path=str(root / name), base="main")


@pytest.mark.parametrize(
    ("agent", "config"),
    [("scripted", ANOTHERS), ("command", AgentConfig()), ("gone-with-its-wheel", AgentConfig())],
)
def test_it_is_watched_beside_others_and_not_started_again(
    tmp_path: Path, agent: str, config: AgentConfig
) -> None:
    home, clock = Home(tmp_path / "home"), ManualClock()
    host = PluginHost(Registry(home, clock), home, clock)
    unfit = _brief(tmp_path, "p-1", agent, config)
    fit = _brief(tmp_path, "p-2", "stub", AgentConfig())

    traits = host.traits(unfit)
    assert (traits.tells, traits.one_shot) == (False, False)
    alive = ProcessSeen(Presence.ALIVE, clock.now(), "test", pid=7, number=1)
    host._reader.surveyed({"p-1": alive, "p-2": alive}, time.monotonic())
    read = host.observe([Wanted(one, {}, screen=False, afresh=True) for one in (unfit, fit)])
    assert read.keys() == {"p-1", "p-2"}
    seen = read["p-1"].agent
    assert seen is not None
    assert (seen.activity, seen.ready) == (None, False)
    assert "put back those it began with, and ennio reload" in seen.detail

    hooks = HookAddress("127.0.0.1", 1, "/look", "token")
    with pytest.raises(Refused, match="cannot be had with the settings there are now"):
        host.launch(unfit, 2, hooks, "", resume=True, carry=None)
    with pytest.raises(Refused, match=r"settings there are now: correct them, and ennio reload \("):
        host.launch(unfit, 1, hooks, "", resume=False, carry=None)
    with pytest.raises(Invalid, match="agent: "):
        host.check(unfit)


def test_what_a_project_passes_on_is_for_its_own_agent_alone(tmp_path: Path) -> None:
    project = Project(
        "p", "p", "/srv/p.git", tmp_path, agent="command", agent_config=replace(ANOTHERS, model="m")
    )
    session = Session("p-1", "p", SessionStatus.WORKING, NOW, NOW, config_hash="x")
    assert brief(session, project).agent_config == project.agent_config
    own = brief(replace(session, agent_name="command"), project).agent_config
    assert own.passthrough == {"run": "true"}
    other = brief(replace(session, agent_name="scripted"), project).agent_config
    assert (other.passthrough, other.model) == ({}, "m")
