"""Projects on other machines: what a host is called, and what two projects on one must share."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from ennio.config.host_name import host_name, host_of, limits_of_hosts
from ennio.config.load import load
from ennio.config.model import AuthType, Config, Project, SshAuth, SshConfig, SshStrategy
from ennio.model.errors import ConfigError
from ennio.plugins.shipped import known

LOGIN = "auth: {type: agent}"


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("build-server", 22, "me@build-server"),
        ("Build.Example.com", 22, "me@build.example.com"),
        ("build-server", 2222, "me@build-server:2222"),
        ("::1", 22, "me@[::1]"),
        ("[::1]", 2222, "me@[::1]:2222"),
    ],
)
def test_a_host_is_called_by_whom_and_where_one_logs_in(host: str, port: int, name: str) -> None:
    ssh = SshConfig(host, "me", SshAuth(AuthType.AGENT), port)
    assert host_name(ssh) == name
    assert host_of(Project("app", "app", "r", Path("/srv/app"), ssh=ssh)) == name
    assert not host_of(Project("app", "app", "r", Path("/srv/app")))


def _loaded(tmp_path: Path, *projects: str, head: str = "") -> list[Project]:
    lines = [head, "projects:"]
    for at, project in enumerate(projects):
        body = f"name: app{at}\nrepo: https://example.com/app.git\npath: /srv/app\n{project}\n"
        lines.append(indent(body, "    ").replace("    ", "  - ", 1))
    file = tmp_path / "ennio.yaml"
    file.write_text("\n".join(lines))
    return list(load(file, {}, known()).projects)


def _problems(tmp_path: Path, *projects: str, head: str = "") -> list[str]:
    with pytest.raises(ConfigError) as raised:
        _loaded(tmp_path, *projects, head=head)
    return [str(problem) for problem in raised.value.problems]


def test_claudes_remote_control_is_for_claude(tmp_path: Path) -> None:
    ssh = "ssh_config: {host: h, username: u, auth: {type: agent}, strategy: remote_control}"
    assert _loaded(tmp_path, ssh)
    assert _loaded(tmp_path, f"agent: claude-code\n{ssh}")
    (problem,) = _problems(tmp_path, f"agent: aider\n{ssh}")
    assert "strategy" in problem
    assert "of claude-code alone, and the agent is aider" in problem
    (problem,) = _problems(tmp_path, ssh, head="defaults: {agent: codex}")
    assert "the agent is codex" in problem


def test_a_node_that_is_not_to_be_used_is_none(tmp_path: Path) -> None:
    ssh = "ssh_config: {{host: h, username: u, auth: {{type: agent}}, strategy: node, node_config: {}}}"
    for node, strategy in (
        ("{enabled: false}", SshStrategy.TMUX),
        ("{enabled: true}", SshStrategy.NODE),
        ("{port: 9200}", SshStrategy.NODE),
    ):
        (project,) = _loaded(tmp_path, ssh.format(node))
        assert project.ssh is not None
        assert project.ssh.strategy is strategy


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ("host_key_policy: accept_new", "host_key_policy: strict", "host_key_policy"),
        ("host_key_policy: accept_new", "port: 22", "host_key_policy"),
        ("connection_timeout: 5", "connection_timeout: 6", "connection_timeout"),
        ("strategy: tmux", "strategy: node", "strategy"),
        ("max_sessions: 3", "port: 22", "max_sessions"),
        ("min_free_memory: 1GiB", "min_free_memory: 2GiB", "min_free_memory"),
    ],
)
def test_two_projects_that_say_different_things_of_one_host_are_both_named(
    tmp_path: Path, one: str, other: str, key: str
) -> None:
    (told,) = _problems(
        tmp_path,
        f"ssh_config: {{host: h, username: u, {LOGIN}, {one}}}",
        f"ssh_config: {{host: H, username: u, {LOGIN}, {other}}}",
    )
    assert "projects[1].ssh_config" in told
    assert f"{key} differs from projects[0].ssh_config.{key}" in told
    assert "u@h" in told


def test_what_is_said_of_a_host_holds_for_all_projects_there(tmp_path: Path) -> None:
    ssh = f"ssh_config: {{host: h, username: u, {LOGIN}, max_sessions: 3, min_free_memory: 1GiB}}"
    other = f"ssh_config: {{host: other, username: u, {LOGIN}}}"
    found = _loaded(tmp_path, ssh, ssh, other)
    config = Config(tmp_path / "ennio.yaml", tmp_path, projects=tuple(found))
    assert limits_of_hosts(config) == ({"u@h": 3}, {"u@h": 1 << 30})


def test_a_secret_that_differs_is_not_shown(tmp_path: Path) -> None:
    (told,) = _problems(
        tmp_path,
        "ssh_config: {host: h, username: u, auth: {type: password, password: one-word}}",
        "ssh_config: {host: h, username: u, auth: {type: password, password: other-word}}",
    )
    assert "auth differs" in told
    assert "word" not in told.replace("password", "")


@pytest.mark.parametrize("other", ["username: v", "username: u, port: 2222"])
def test_another_user_or_port_is_another_host(tmp_path: Path, other: str) -> None:
    found = _loaded(
        tmp_path,
        f"ssh_config: {{host: h, username: u, {LOGIN}}}",
        f"ssh_config: {{host: h, {other}, {LOGIN}, connection_timeout: 5}}",
    )
    assert len({host_of(project) for project in found}) == 2


@pytest.mark.parametrize("runtime", ["", "runtime: ssh", "runtime: tmux"])
def test_over_ssh_agents_live_in_tmux_whatever_holds_here(tmp_path: Path, runtime: str) -> None:
    (found,) = _loaded(
        tmp_path,
        f"{runtime}\nssh_config: {{host: h, username: u, {LOGIN}}}",
        head="defaults: {runtime: process}",
    )
    assert found.runtime == "tmux"


def test_process_over_ssh_is_told_with_the_way_out(tmp_path: Path) -> None:
    (told,) = _problems(
        tmp_path, f"runtime: process\nssh_config: {{host: h, username: u, {LOGIN}}}"
    )
    assert "projects[0].runtime" in told
    assert "leave `runtime` out" in told


def test_ssh_as_the_runtime_of_all_needs_to_know_where(tmp_path: Path) -> None:
    (told,) = _problems(tmp_path, "default_branch: main", head="defaults: {runtime: ssh}")
    assert "projects[0].runtime: is `ssh` by `defaults.runtime`, which needs `ssh_config`" in told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("scm_config: {plugin: local}", "scm_config: needs `config.hub` beside `ssh_config`"),
        ("agent_config: {metering: proxy}", "metering: `proxy` cannot be had beside `ssh_config`"),
    ],
)
def test_what_only_this_machine_has_is_told_with_the_way_out(
    tmp_path: Path, settings: str, words: str
) -> None:
    ssh = f"ssh_config: {{host: h, username: u, {LOGIN}}}"
    (told,) = _problems(tmp_path, f"{settings}\n{ssh}")
    assert words in told
    _loaded(tmp_path, f"scm_config: {{plugin: local, config: {{hub: /srv/app.git}}}}\n{ssh}")


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("me@build", "names the username, too: write `host: build` and `username: me`"),
        ("ssh://me@build", "names the username, too: write `host: build` and `username: me`"),
        ("build:2222", "names the port, too: write `host: build` and `port: 2222`"),
        ('"[::1]:2222"', "names the port, too: write `host: [::1]` and `port: 2222`"),
    ],
)
def test_a_host_is_a_host_alone_and_what_else_is_in_it_has_a_key(
    tmp_path: Path, host: str, says: str
) -> None:
    (problem,) = _problems(tmp_path, f"ssh_config: {{host: {host}, username: u, {LOGIN}}}")
    assert "ssh_config.host" in problem
    assert says in problem
    for plain in ("build", '"::1"', '"[::1]"', "build.example.com"):
        assert _loaded(tmp_path, f"ssh_config: {{host: {plain}, username: u, {LOGIN}}}")


def test_the_public_half_of_a_key_is_not_taken_for_the_key(tmp_path: Path) -> None:
    login = "auth: {type: key, path: ~/.ssh/id_ed25519.pub}"
    (problem,) = _problems(tmp_path, f"ssh_config: {{host: h, username: u, {login}}}")
    assert "is the public half of a key: name the private one, ~/.ssh/id_ed25519" in problem
