"""Incident 44: a project on another machine is never quietly run on this one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import ActorRegistry
from ennio.actors.spawning import SpawnRequest, preview, spawn
from ennio.config.load import load
from ennio.config.model import SshConfig
from ennio.hosts.elsewhere import FarMachine, HostElsewhere, hosts_elsewhere
from ennio.hosts.interface import Host
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Invalid, Unreachable
from ennio.plugins.registry import Registry
from tests import made_database

REMOTE = """
projects:
  - {name: far, repo: "git@github.com:org/far.git", path: /srv/far, ssh_config: {host: gpu.internal, username: me, auth: {type: agent}}}
  - {name: further, repo: "git@github.com:org/further.git", path: ~/further, ssh_config: {host: gpu.internal, username: me, auth: {type: agent}}}
  - {name: near, repo: "git@github.com:org/near.git", path: ./near, agent: scripted}
"""
THERE = "me@gpu.internal"
asked: list[str] = []


def _unreachable(name: str, ssh: SshConfig) -> FarMachine:
    asked.append(name)
    raise Unreachable(f"no route to {ssh.host}")


@contextmanager
def _deps(tmp_path: Path, *, known: bool) -> Iterator[Dependencies]:
    file = tmp_path / "ennio.yaml"
    file.write_text(REMOTE)
    home, clock = Home(tmp_path / "home"), ManualClock()
    store = made_database.opened(tmp_path, clock)
    plugins, config = Registry(home, clock), load(file, {})
    here = PluginHost(plugins, home, clock)
    others: Mapping[str, HostElsewhere] = hosts_elsewhere(config, clock, "i", here, _unreachable)
    hosts: Mapping[str, Host] = others if known else {}
    asked.clear()
    yield Dependencies(config, home, clock, store, plugins, ActorRegistry(), here, hosts)
    store.close()


@pytest.mark.parametrize("ask", [spawn, preview])
def test_incident_44_a_remote_project_is_refused_instead_of_run_here(
    tmp_path: Path, ask: object
) -> None:
    with _deps(tmp_path, known=False) as deps:
        with pytest.raises(Unreachable, match=r"is on host me@gpu\.internal.*does not know"):
            ask(deps, SpawnRequest("far", prompt="work"))  # type: ignore[operator]
        assert not deps.store.sessions.list()


@pytest.mark.real
def test_a_session_of_a_remote_project_is_on_its_host_which_need_not_be_reached_to_write_it_down(
    tmp_path: Path,
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "near"], check=True)
    with _deps(tmp_path, known=True) as deps:
        assert list(deps.other_machines) == [THERE], "two projects that name one host share it"
        session = spawn(deps, SpawnRequest("far", prompt="work"))
        assert deps.store.sessions.need(session.id).host == THERE
        assert session.runtime_name == "tmux"
        assert not spawn(deps, SpawnRequest("near", prompt="work")).host
        assert asked == [THERE], "for the project over there, once"
        assert "no route" in str(preview(deps, SpawnRequest("far", prompt="work")).unseen)


@pytest.mark.parametrize(
    ("project", "runtime", "words"),
    [
        ("far", "process", "runtime: process cannot be had on me@gpu.internal"),
        ("near", "ssh", "runtime: ssh needs ssh_config in project near"),
    ],
)
def test_a_runtime_that_cannot_be_had_there_is_refused_with_the_way_out(
    tmp_path: Path, project: str, runtime: str, words: str
) -> None:
    with _deps(tmp_path, known=True) as deps, pytest.raises(Invalid, match=words):
        spawn(deps, SpawnRequest(project, prompt="work", runtime=runtime))
