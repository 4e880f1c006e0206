"""``ennio doctor``: each check by itself, and the whole on a real repository."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ennio.actors import adoption
from ennio.cli.doctor import agents, configuration, machine, running
from ennio.cli.doctor.finding import Level
from ennio.cli.verbs.doctor import outcome
from ennio.config.model import (
    Config,
    PluginChoice,
    Project,
)
from ennio.config.sandbox import Sandbox
from ennio.hosts import session_files
from ennio.machine.home import Home, private
from ennio.machine.sandbox.availability import NoSandbox
from ennio.model import codec
from ennio.model.isolation import IsolationKind
from ennio.model.session import Session, SessionStatus
from tests.cli.conftest import Api, Place
from tests.conftest import need
from tests.postgres import Server

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (None, Level.BROKEN),
        ("git version 2.37.9", Level.BROKEN),
        ("git version 1.99", Level.BROKEN),
        ("git version 2.38.0", Level.FINE),
        ("git version 2.39.5 (Apple Git-154)", Level.FINE),
        ("git version 3.0", Level.FINE),
    ],
)
def test_git_must_be_new_enough(line: str | None, level: Level) -> None:
    finding = machine.git(line)
    assert finding.level is level
    assert bool(finding.fix) == (level is not Level.FINE)


def test_what_a_sandbox_is_to_show_and_is_not_there_is_said(tmp_path: Path) -> None:
    shown = Sandbox(readable=(tmp_path, tmp_path / "no data"), writable=(tmp_path / "cache",))
    plain = Project("app", "app", "r", tmp_path, isolation=IsolationKind.BUBBLEWRAP, sandbox=shown)
    config = Config(tmp_path / "ennio.yaml", tmp_path, projects=(plain,))
    found = [one for one in configuration.idle(config) if "sandbox" in one.what]
    assert [one.level for one in found] == [Level.WARNING, Level.WARNING]
    assert f"sandbox.readable names {tmp_path}/no data, which is not there" in found[0].what
    assert f"mkdir -p '{tmp_path}/no data'" in (found[0].fix or "")
    assert f"sandbox.writable names {tmp_path}/cache" in found[1].what


def test_what_was_not_asked_is_not_called_there() -> None:
    assert outcome(0, all_asked=True) == "everything that is needed is there"
    assert outcome(0, all_asked=False).startswith("nothing is missing so far; what the file names")
    assert outcome(2, all_asked=False).startswith("2 to mend; what the file names was not asked")


def test_python_must_be_new_enough() -> None:
    assert machine.python((3, 10, 12)).level is Level.BROKEN
    assert machine.python((3, 11, 0)).level is Level.FINE


def test_sandboxes_are_told_of_where_a_project_wants_one() -> None:
    lacking = NoSandbox("bwrap is not installed", "sudo apt-get install bubblewrap")
    assert machine.sandbox(lacking, wanted=False) is None
    told = machine.sandbox(lacking, wanted=True)
    assert told is not None
    assert (told.level, told.fix) == (Level.BROKEN, "sudo apt-get install bubblewrap")
    found = machine.sandbox(None, wanted=True)
    assert found is not None
    assert found.level is Level.FINE


def test_tmux_is_only_needed_where_a_project_wants_it() -> None:
    assert machine.tmux(None, wanted=True).level is Level.BROKEN
    assert machine.tmux(None, wanted=False).level is Level.WARNING
    assert machine.tmux("tmux 3.3a", wanted=True).level is Level.FINE


def test_memory_and_disk_warn_but_do_not_fail() -> None:
    assert machine.memory(100, 200).level is Level.WARNING
    assert machine.memory(300, 200).level is Level.FINE
    assert machine.disk(1024**3, Path("/")).level is Level.WARNING


def test_a_full_disk_fails() -> None:
    assert machine.disk(0, Path("/")).level is Level.BROKEN
    assert machine.disk(machine.NO_DISK, Path("/")).level is Level.WARNING


def test_a_state_folder_that_is_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert machine.state(tmp_path / "file" / "below").level is Level.BROKEN
    assert machine.state(tmp_path / "new" / "folder").level is Level.FINE


def test_a_missing_agent_fails_only_a_project_that_uses_it() -> None:
    assert agents.agent("codex", None, "npm install x", wanted=True).level is Level.BROKEN
    finding = agents.agent("codex", None, "npm install x", wanted=False)
    assert (finding.level, finding.fix) == (Level.WARNING, "npm install x")


def test_a_missing_key_is_a_warning_because_of_logins() -> None:
    passes = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
    finding = agents.key("codex", passes, {"OPENAI_BASE_URL"})
    assert finding is not None
    assert finding.level is Level.WARNING
    assert agents.key("codex", passes, {"OPENAI_API_KEY"}) is None
    assert agents.key("scripted", (), ()) is None


def test_a_port_is_free_taken_or_ours() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.getsockname()[1]
        taken = configuration.port(number, "127.0.0.1", ours=False, name="port")
        assert (taken.level, f"(pid {os.getpid()})" in taken.what) == (Level.BROKEN, True)
        assert configuration.port(number, "127.0.0.1", ours=True, name="port").level is Level.FINE
    assert configuration.port(number, "127.0.0.1", ours=False, name="port").level is Level.FINE


def test_a_port_that_another_ennio_has_is_told_as_start_tells_it() -> None:
    code = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
        "print(s.getsockname()[1], flush=True); time.sleep(60)"
    )
    words = [
        sys.executable,
        "-c",
        code,
        "-m",
        "ennio.supervise",
        "--config",
        "/elsewhere/ennio.yaml",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        number = int(other.stdout.readline())
        found = configuration.port(number, "127.0.0.1", ours=False, name="port")
        other.kill()
    assert found.level is Level.BROKEN
    assert (
        found.what
        == f"port {number} is taken by another Ennio of /elsewhere/ennio.yaml (pid {other.pid})"
    )
    assert found.fix == "let both run: leave that one, and set another `port` in ennio.yaml"


def test_incident_42_a_bind_beyond_this_machine_is_pointed_out(tmp_path: Path) -> None:
    config = Config(tmp_path / "ennio.yaml", tmp_path)
    assert configuration.open_door(config) is None
    finding = configuration.open_door(Config(tmp_path / "ennio.yaml", tmp_path, host="0.0.0.0"))  # noqa: S104 - compared, not bound
    assert finding is not None
    assert finding.level is Level.WARNING


def test_the_repository_of_a_local_forge_that_is_gone_is_named(tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    project = Project("p", "p", str(hub), tmp_path, forge=PluginChoice("local"))
    finding = configuration.repository(project)
    assert finding is not None
    assert f"{hub} cannot be read" in finding.what
    hub.mkdir()
    (hub / "HEAD").write_text("ref: refs/heads/main\n")
    assert configuration.repository(project) is None
    assert configuration.repository(replace(project, forge=PluginChoice("github"))) is None


def test_a_forge_without_a_token_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    project = Project("p", "p", "git@github.com:me/app.git", Path("/p"))
    finding = configuration.token(project, PluginChoice("github"), "scm")
    assert finding is not None
    assert "GITHUB_TOKEN" in finding.fix
    monkeypatch.setenv("GITHUB_TOKEN", "for github.com alone")
    assert configuration.token(project, PluginChoice("github"), "scm") is None
    elsewhere = configuration.token(
        project, PluginChoice("github", {"api_url": "https://git.corp.example/api/v3"}), "scm"
    )
    assert elsewhere is not None
    assert "no token for git.corp.example" in elsewhere.what
    assert configuration.token(project, PluginChoice("github", {"token": "x"}), "scm") is None
    assert configuration.token(project, PluginChoice("local"), "scm") is None


def test_terminals_without_a_session_are_named_with_the_command_that_ends_them() -> None:
    assert running.orphans(["a"], ["a", "b"], "ennio") is None
    finding = running.orphans(["z", "a"], ["a"], "ennio")
    assert finding is not None
    assert finding.fix == "tmux -L ennio kill-session -t =z"


def test_terminals_of_another_supervisor_of_this_home_are_no_strays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    config = Config(tmp_path / "mine.yaml", tmp_path, database_url="sqlite:///mine.db")
    for name, source, database in (
        ("ma-1", "mine", "mine"),
        ("ot-1", "other", "other"),
        ("mv-1", "moved", "mine"),
    ):
        session = Session(name, "p", SessionStatus.WORKING, NOW, NOW, "hash")
        private(home.session(name))
        record = adoption.LaunchRecord(
            str(tmp_path / f"{source}.yaml"), f"sqlite:///{database}.db", session
        )
        (home.session(name) / session_files.RECORD).write_text(codec.dumps(record))
    private(home.session("bad")).joinpath(session_files.RECORD).write_text("[]")
    assert running.of_others(["ma-1", "ot-1", "mv-1", "bad", "nobody"], home, config) == {"ot-1"}


def test_real_terminals_are_found(place: Place) -> None:
    tmux = need("tmux")
    name = f"ennio-test-{os.getpid()}"
    assert running.terminals(name) == ()
    machine.said(tmux, "-L", name, "new-session", "-d", "-s", "stray", "sleep", "60")
    try:
        assert running.terminals(name) == ("stray",)
    finally:
        machine.said(tmux, "-L", name, "kill-server")


def _findings(document: Any) -> dict[str, str]:
    return {finding["what"]: finding["level"] for finding in document["findings"]}


def test_without_a_configuration_doctor_says_how_to_get_one(place: Place) -> None:
    ended = place.ennio("doctor")
    assert ended.code == 1
    assert "      -> ennio init" in ended.out.splitlines()


def test_a_folder_in_the_place_of_the_configuration_is_named(place: Place) -> None:
    (place.folder / "ennio.yaml").mkdir()
    told = place.ennio("doctor").out
    assert f"{place.folder}/ennio.yaml is a folder\n      -> ennio init  (once it is moved" in told


def _configured(place: Place) -> None:
    place.git("init", "-q", "-b", "main")
    place.git("commit", "-q", "--allow-empty", "-m", "first")
    project = f"{{name: app, repo: {place.folder}, path: {place.folder}}}"
    text = f"port: 0\ndefaults: {{agent: scripted, runtime: process}}\nprojects:\n  - {project}\n"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        text = text.replace("port: 0", f"port: {free.getsockname()[1]}")
    (place.folder / "ennio.yaml").write_text(text)


def test_a_sound_machine_and_configuration_pass(place: Place) -> None:
    _configured(place)
    ended = place.ennio("doctor", "--json")
    assert (ended.code, ended.document["ok"], ended.err) == (0, True, "")
    assert "broken" not in _findings(ended.document).values()
    assert "no supervisor runs (ennio start begins one)" in _findings(ended.document)


def test_a_limit_of_no_sessions_is_a_warning(place: Place) -> None:
    _configured(place)
    file = place.folder / "ennio.yaml"
    text = file.read_text().replace("name: app,", "name: app, max_sessions: 0,")
    file.write_text(f"max_sessions: 0\n{text}")
    told = [
        "max_sessions is 0: no session starts, each waits in the queue",
        "projects[app].max_sessions is 0: no session of app starts, each waits in the queue",
    ]
    checked = place.ennio("config", "check", "--json")
    assert (checked.code, checked.document["warnings"]) == (0, told)
    found = _findings(place.ennio("doctor", "--json").document)
    assert [found[each] for each in told] == ["warning", "warning"]
    file.write_text(text.replace("max_sessions: 0,", "max_sessions: 1,"))
    assert place.ennio("config", "check", "--json").document["warnings"] == []


@pytest.mark.parametrize(("head", "named"), [("main", "main"), ("gone", "agents/a-1")])
def test_the_branch_that_is_offered_is_the_repositorys_own_and_no_agents(
    place: Place, head: str, named: str
) -> None:
    _configured(place)
    place.git("branch", "agents/a-1")
    place.git("symbolic-ref", "HEAD", f"refs/heads/{head}")
    file = place.folder / "ennio.yaml"
    file.write_text(file.read_text().replace("name: app,", "name: app, default_branch: nosuch,"))
    (fix,) = [
        one["fix"]
        for one in place.ennio("doctor", "--json").document["findings"]
        if "has no branch nosuch" in one["what"]
    ]
    assert fix == f"default_branch: {named}  in ennio.yaml, or push nosuch there"
    assert f"default_branch: {named}  in" in place.ennio("config", "check").out


def test_a_first_start_that_would_stop_at_a_dialog_is_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for name in ("claude-code", "codex"):
        assert agents.first_start(name, tmp_path) is not None
    for name in ("aider", "opencode", "scripted"):
        assert agents.first_start(name, tmp_path) is None
    (tmp_path / ".claude.json").write_text('{"hasCompletedOnboarding": true}')
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "auth.json").write_text("{}")
    assert agents.first_start("claude-code", tmp_path) is None
    assert agents.first_start("codex", tmp_path) is None


def test_a_wanted_agent_that_is_missing_fails_with_its_install_command(place: Place) -> None:
    _configured(place)
    file = place.folder / "ennio.yaml"
    file.write_text(file.read_text().replace("scripted", "codex"))
    bare = place.home / "bin"
    bare.mkdir()
    (bare / "git").symlink_to(shutil.which("git") or "")
    ended = place.ennio("doctor", "--json", PATH=str(bare))
    assert ended.code == 1
    assert {f["fix"] for f in ended.document["findings"] if f["level"] == "broken"} == {
        "npm install -g @openai/codex"
    }


def test_what_only_another_machine_needs_is_not_missing_here(place: Place) -> None:
    """The first project on another machine failed for an agent that is wanted there alone."""
    far = "ssh_config: {host: 192.0.2.1, username: me, auth: {type: agent}}"
    (place.folder / "ennio.yaml").write_text(
        f"projects:\n  - {{name: far, repo: 'ssh://me@192.0.2.1/r.git', path: '~/r', {far}}}\n"
    )
    told = place.ennio("doctor", "--json", PATH="/nowhere", ENNIO_TRUSTED_CONFIG_PATHS="").document
    broken = [one["what"] for one in told["findings"] if one["level"] == "broken"]
    assert broken == ["git is not installed"]


def test_a_running_supervisor_is_asked_and_its_port_is_its_own(api: Api) -> None:
    api.on("GET", "/health", "ok")
    api.on("GET", "/sessions", [])
    away = {
        "looks": 3,
        "at": None,
        "took": 0.1,
        "ok": False,
        "detail": "1 of 1 branches cannot be seen: the disk is away",
        "watched": 1,
    }
    api.on("GET", "/status", {"sources": {"forge:app": away, "runtime:tmux": {**away, "ok": True}}})
    found = _findings(api.ennio("doctor", "--json").document)
    assert (
        found["no signal from forge:app: 1 of 1 branches cannot be seen: the disk is away"]
        == "warning"
    )
    assert not [what for what in found if "runtime:tmux" in what]
    assert found[f"the supervisor answers at {api.url}"] == "fine"
    assert any(what.endswith("is the running supervisor's") for what in found)


def test_a_supervisor_that_does_not_answer_well_is_a_warning(api: Api) -> None:
    api.on("GET", "/health", "ok")
    api.on("GET", "/sessions", "out of order", status=500)
    found = _findings(api.ennio("doctor", "--json").document)
    assert found[f"the supervisor at {api.url} does not answer: out of order"] == "warning"


def test_an_absent_plugin_is_found(tmp_path: Path) -> None:
    near = Project(id="near", name="near", repo="r", path=tmp_path)
    absent = configuration.absent(near, PluginChoice("carrier-pigeon"), "scm")
    assert absent is not None
    assert "local" in absent.fix
    assert configuration.absent(near, PluginChoice("local"), "scm") is None


def test_an_agent_that_only_the_supervisor_does_not_find_is_said_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-agent").write_text("#!/bin/sh\n")
    (tmp_path / "my-agent").chmod(0o755)
    code = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert (
            list(running.unreachable({"mine": "my-agent"}, process.pid)) == []
        )  # neither finds it: another check tells
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        (found,) = running.unreachable({"mine": "my-agent", "shell": "sh"}, process.pid)
        process.kill()
    assert found.level is Level.BROKEN
    assert "its PATH is /usr/bin:/bin" in found.what
    assert "ennio start" in found.fix
    assert list(running.unreachable({"mine": "my-agent"}, 2**22 + 1)) == []


@pytest.mark.parametrize("trusted", [True, False])
def test_the_server_of_a_database_is_asked_only_when_the_file_is_trusted(
    postgres: Server, trusted: bool
) -> None:
    finding = machine.server(postgres.made(), trusted=trusted)
    assert (finding is not None) is trusted
    assert finding is None or (finding.level is Level.FINE and ": PostgreSQL " in finding.what)
    assert machine.server("sqlite:/x/y.db", trusted=trusted) is None


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    finding = machine.server("postgresql://me:secret@127.0.0.1:1/ennio", trusted=True)
    assert finding is not None
    assert finding.level is Level.BROKEN
    assert "the server of postgresql://me@127.0.0.1:1/ennio does not answer" in finding.what
    assert "secret" not in f"{finding.what} {finding.fix}"
