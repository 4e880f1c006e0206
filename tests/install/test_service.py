"""The supervisor as a service: what the unit says is read by systemd itself, what it runs is run,
and its agents outlive it.
"""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ennio.cli.services.launchd import LaunchdUser
from ennio.cli.services.spec import ServiceSpec
from ennio.cli.services.systemd import SystemdUser
from ennio.http import client as http
from ennio.machine.home import Home
from tests.conftest import eventually, need
from tests.e2e.house import Supervised, configure, ground_at, project, repository, story
from tests.e2e.house import turn as says
from tests.ended import Ended
from tests.fork_server import forked

ODD = "a $HOME %h \"quoted\" 'one' \\back; #x"


def _spec(folder: Path, **environ: str) -> ServiceSpec:
    (folder / "mine").mkdir(parents=True)
    config = folder / "mine" / "ennio.yaml"
    config.touch()
    return ServiceSpec.of(config, Home(folder / "state"), {"PATH": "/usr/bin:/bin"} | environ)


def _verified(spec: ServiceSpec, folder: Path) -> str:
    """What systemd says against a unit."""
    made = SystemdUser(spec, folder)
    made.file.write_text(made.text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(made.file)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    about = [line for line in done.stderr.splitlines() if made.unit in line]
    return "\n".join(about) if about or done.returncode == 0 else done.stderr


@pytest.mark.parametrize("name", ["plain", ODD])
def test_systemd_finds_nothing_wrong_with_the_unit_wherever_its_files_lie(
    tmp_path: Path, name: str
) -> None:
    need("systemd-analyze")
    spec = _spec(tmp_path / name, LANG="C.UTF-8", GIT_SSH_COMMAND='ssh -o "A=%h $X"')
    program = tmp_path / name / "ennio-supervisor"
    shutil.copy("/bin/true", program)
    ours = ServiceSpec(
        *(spec.instance, spec.config, (str(program), *spec.command[1:])),
        *(spec.environment, spec.variables, spec.log),
    )
    assert _verified(ours, tmp_path) == ""


def test_systemd_would_notice_a_command_that_is_not_there(tmp_path: Path) -> None:
    need("systemd-analyze")
    spec = _spec(tmp_path / "plain")
    nowhere = ServiceSpec(
        *(spec.instance, spec.config, ("/nowhere/ennio-supervisor",)),
        *(spec.environment, spec.variables, spec.log),
    )
    assert "/nowhere/ennio-supervisor" in _verified(nowhere, tmp_path)


def test_a_service_has_what_lasts_of_the_environment_and_no_secret(tmp_path: Path) -> None:
    passing = {"SSH_AUTH_SOCK": "/tmp/agent", "ANTHROPIC_API_KEY": "sk-1", "TERM": "x"}
    proxies = {"https_proxy": "http://me:secret@proxy", "http_proxy": "http://proxy"}
    spec = _spec(tmp_path, **passing, **proxies, TMUX_TMPDIR="/run/me")
    assert spec.environment == {
        "PATH": "/usr/bin:/bin",
        "ENNIO_HOME": str(tmp_path / "state"),
        "http_proxy": "http://proxy",
        "TMUX_TMPDIR": "/run/me",
    }


def test_launchd_is_told_the_same_and_leaves_what_the_supervisor_started(tmp_path: Path) -> None:
    spec = _spec(tmp_path / ODD)
    told = plistlib.loads(LaunchdUser(spec, tmp_path).text().encode())
    assert told["AbandonProcessGroup"] is True
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert tuple(told["ProgramArguments"][-len(spec.command) :]) == spec.command
    assert told["EnvironmentVariables"] == spec.environment
    spec.variables.parent.mkdir(parents=True)
    spec.variables.write_text("A_TOKEN='of mine'\n")
    words = [*told["ProgramArguments"][: -len(spec.command)], "/usr/bin/env"]
    done = subprocess.run(words, env={}, capture_output=True, text=True, check=True)
    assert "A_TOKEN=of mine" in done.stdout.splitlines()


# --- a whole life, under a stand-in of the manager that reads the unit ----------------------------


@dataclass(slots=True)
class Serviced(Supervised):
    """A supervisor that its service starts; ``env`` is that of a shell in which the manager
    answers.
    """

    @property
    def env(self) -> dict[str, str]:
        named = {name: value for name, value in self.ground.env.items() if name != "PATH"}
        stand_in = self.ground.root / "bin"
        return named | {"PATH": f"{stand_in}:{self.ground.path}"}

    def ennio(self, *words: str, **env: str) -> Ended:
        done = subprocess.run(
            self.ground.command(*words),
            cwd=self.ground.clone,
            env=self.env | env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @property
    def unit(self) -> Path:
        place = self.ground.root / "person" / ".config" / "systemd" / "user"
        return next(place.glob("ennio-*.service"), place / "none")


@pytest.fixture
def serviced(tmp_path: Path) -> Iterator[Serviced]:
    with ground_at(tmp_path) as ground:
        repository(ground)
        waits = story(says("prompt", [{"say": "..."}, "hang"]))
        configure(ground, project(ground, agent_config=waits))
        (tmp_path / "bin").mkdir()
        shutil.copy(Path(__file__).with_name("systemctl"), tmp_path / "bin")
        yield Serviced(ground)


def test_agents_outlive_their_service_however_it_ends_and_the_next_start_finds_them(
    serviced: Serviced,
) -> None:
    config = serviced.ground.config
    config.write_text(config.read_text() + '\napi_token: "${MY_TOKEN}"\n')
    secret = {"MY_TOKEN": "a-secret-of-at-least-thirty-two-letters"}

    # nothing starts without what the file puts in, and no file of ours holds that
    wrote = serviced.ennio("service", "install", **secret)
    assert wrote.code == 0, wrote.err
    assert "it will not have MY_TOKEN" in wrote.out
    assert secret["MY_TOKEN"] not in serviced.unit.read_text() + wrote.out + wrote.err
    assert "does not run" in serviced.ennio("service", "status", **secret).out
    give = next(line for line in wrote.out.splitlines() if "umask 077" in line)
    subprocess.run(["sh", "-c", give], env=serviced.env | secret, check=True)

    began = serviced.ennio("service", "install", "--json", **secret)
    assert began.code == 0, began.err
    told = began.document
    assert (told["installed"], told["started"], told["missing"]) == ("found as it is", True, [])
    assert (told["enabled"], told["active"]) == (True, "active")
    assert serviced.unit.stat().st_mode & 0o777 == 0o644
    assert [Path(told[one]).stat().st_mode & 0o777 for one in ("log", "variables")] == [0o600] * 2
    session = str(_client(serviced, secret).post("/sessions", ORDER)["id"])
    before = eventually(lambda: serviced.ground.agents().get(session))

    # systemd's way to stop: the main process, and none of those in its group
    other = secret | {"PATH": f"{serviced.env['PATH']}:/opt"}
    renewed = serviced.ennio("service", "install", "--json", **other)
    assert renewed.code == 0, renewed.err
    assert (renewed.document["installed"], renewed.document["started"]) == ("renewed", True)
    assert renewed.document["pid"] != told["pid"]
    assert _client(serviced, secret).get(f"/sessions/{session}")["status"] == "working"
    assert serviced.ground.agents()[session] == before

    os.kill(renewed.document["pid"], signal.SIGKILL)
    removed = serviced.ennio("service", "remove", **secret)
    assert removed.code == 0, removed.err
    assert "agents that run go on" in removed.out
    assert "left where it is, since you wrote it" in removed.out
    assert not serviced.unit.exists()
    assert serviced.ground.agents()[session] == before
    for words in ("status", "remove"):
        assert serviced.ennio("service", words, **secret).code == 3


ORDER = {"project_id": "score", "prompt": "Write down what you know"}


def _client(serviced: Serviced, secret: dict[str, str]) -> http.ApiClient:
    home = Home(serviced.ground.home)
    return http.find(serviced.ground.config, home, lambda: secret["MY_TOKEN"])


def test_a_supervisor_that_runs_already_is_handed_over_as_is_printed(serviced: Serviced) -> None:
    shim = serviced.ground.root / "bin" / "ennio"
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(forked())} "$@"\n')
    shim.chmod(0o755)

    def does(line: str, code: int = 0) -> str:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=serviced.ground.clone,
            env=serviced.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (line, done)
        return (done.stdout + done.stderr).strip()

    none = does("ennio service status", 3)
    does("ennio start --detach")
    wrote = does(none.rpartition("install it with: ")[2])
    does(wrote.partition("to hand over: ")[2].partition("\n")[0])
    eventually(lambda: '"active"' in does("ennio service status --json"), why="it runs there")
    eventually(lambda: "no sessions" in does("ennio status"), why="and answers")
    removed = does("ennio service remove")
    (start,) = re.findall(r"and (ennio start) finds them again", removed)
    does(f"{start} --detach")
    does("ennio stop")


def test_a_unit_of_somebody_else_is_left_as_it_is(serviced: Serviced) -> None:
    shown = serviced.ennio("service", "install", "--dry-run", "--json").document
    theirs = Path(shown["file"])
    assert not theirs.exists(), "a dry run writes nothing"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[Service]\nExecStart=/bin/true\n")
    for words in (("install",), ("install", "--dry-run"), ("status",), ("remove",)):
        ended = serviced.ennio("service", *words)
        assert (ended.code, "was not written by Ennio" in ended.err) == (1, True), ended
    assert theirs.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_where_no_manager_answers_nothing_is_written(tmp_path: Path) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, project(ground))
        nobody = {"XDG_RUNTIME_DIR": "/nowhere", "DBUS_SESSION_BUS_ADDRESS": ""}
        ended = ground.ennio("service", "install", **nobody)
    assert ended.code == 1
    assert "ennio service install --dry-run" in ended.err
    assert not (tmp_path / "person" / ".config" / "systemd").exists()
