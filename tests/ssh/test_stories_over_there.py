"""A story that a configuration names by a relative path, played on another machine."""

from __future__ import annotations

from pathlib import Path

from ennio.config.load import load
from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief
from ennio.hosts.elsewhere import hosts_elsewhere
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.plugins import fitting
from ennio.plugins.registry import Registry
from tests.ssh.bench import machine_of
from tests.ssh.far_house import run
from tests.ssh.sshd import HOST, Sshd

STORY = "turns: [{on: prompt, steps: [{say: read beside the configuration}]}]\n"


def _configuration(folder: Path, port: int, user: str, more: str = "") -> Path:
    (folder / "story.yaml").write_text(STORY)
    file = folder / "ennio.yaml"
    file.write_text(
        "projects:\n"
        "- {name: far, repo: 'git@github.com:org/far.git', path: /srv/far, agent: scripted, "
        "agent_config: {passthrough: {story: story.yaml}}, ssh_config: "
        f"{{host: {HOST}, port: {port}, username: {user}, auth: {{type: agent}}{more}}}}}\n"
    )
    return file


def test_a_story_is_read_beside_the_configuration_wherever_it_is_played(
    server: Sshd, tmp_path: Path
) -> None:
    account = server.account()
    config = load(_configuration(tmp_path, server.port, account.name), {})
    home, clock = Home(tmp_path / "home"), SystemClock()
    assert fitting.problems(config, home) == []
    here = PluginHost(Registry(home, clock, directory=config.directory), home, clock)
    found = hosts_elsewhere(
        config, clock, "i", here, lambda _name, _ssh: machine_of(server, account)
    )
    (host,) = found.values()
    try:
        story = AgentConfig(passthrough={"story": "story.yaml"})
        run(account, "git", "init", "-q", "far")
        brief = Brief(
            "far-1", "far", "scripted", "tmux", "worktree", story, source=str(account.home / "far")
        )
        argv = host.preview(brief, "go", "").argv
        assert [Path(word).name for word in argv].count("story.json") == 1
    finally:
        host.close()


def test_a_relative_story_for_a_node_is_said_by_the_check(tmp_path: Path) -> None:
    config = load(_configuration(tmp_path, 22, "me", ", strategy: node"), {})
    (problem,) = fitting.problems(config, Home(tmp_path / "home"))
    assert problem.path == "projects[0].agent_config.passthrough.story"
    assert "'story.yaml' is relative" in problem.message
    assert "write the turns themselves" in problem.message
    assert problem.line is not None
