"""Incident 44: a project on another machine is never quietly run on this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import ActorRegistry
from ennio.actors.spawning import SpawnRequest, preview, spawn
from ennio.config.load import load
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Refused
from ennio.plugins.registry import Registry
from ennio.store import open_store

REMOTE = """
projects:
  - {name: far, repo: "git@github.com:org/far.git", path: /srv/far, ssh_config: {host: gpu.internal, username: me, auth: {type: agent}}}
"""


@pytest.fixture
def deps(tmp_path: Path) -> Dependencies:
    file = tmp_path / "ennio.yaml"
    file.write_text(REMOTE)
    home, clock = Home(tmp_path / "home"), ManualClock()
    store = open_store("sqlite:ennio.db", tmp_path, clock)
    plugins = Registry(home, clock)
    return Dependencies(
        load(file, {}),
        home,
        clock,
        store,
        plugins,
        ActorRegistry(),
        PluginHost(plugins, home, clock),
    )


@pytest.mark.parametrize("ask", [spawn, preview])
def test_incident_44_a_remote_project_is_refused_instead_of_run_here(
    deps: Dependencies, ask: object
) -> None:
    with pytest.raises(Refused, match=r"gpu\.internal.*never run on this machine"):
        ask(deps, SpawnRequest("far", prompt="work"))  # type: ignore[operator]
    assert not deps.store.sessions.list()
    deps.store.close()
