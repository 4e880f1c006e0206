"""The program between a terminal and its agent."""

import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.plugins.runtime.interface import LaunchSpec
from ennio.plugins.runtime.launch import NOT_STARTED, tidy, write
from tests.conftest import eventually


class FarMachine(LocalMachine):
    """As one elsewhere is: nothing of ours lies there."""

    @property
    def name(self) -> str:
        return "me@far"


@pytest.fixture(params=[LocalMachine, FarMachine])
def machine(request: pytest.FixtureRequest) -> Machine:
    made: Machine = request.param()
    return made


def order(root: Path, *argv: str, cwd: Path | None = None) -> LaunchSpec:
    return LaunchSpec(
        "fix-1", argv, cwd or root, {"PATH": os.environ["PATH"], "ODD": "\udcff"}, root / "desk"
    )


def test_the_launch_file_is_private_whatever_lay_there_before(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk/launch.json").write_text("old")
    (tmp_path / "desk/launch.json").chmod(0o644)
    path = Path(write(machine, order(tmp_path, "true"))[-1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_program_takes_the_place_of_the_launcher_and_the_file_is_gone(
    machine: Machine, tmp_path: Path
) -> None:
    command = write(
        machine, order(tmp_path, "sh", "-c", 'echo $$; pwd; printf %s "$ODD" | od -An -tx1')
    )
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told, _ = process.communicate(timeout=10)
    assert told.split() == [str(process.pid), str(tmp_path), "ff"]
    assert not (tmp_path / "desk/launch.json").exists()


def test_incident_50_a_missing_folder_or_program_is_named(machine: Machine, tmp_path: Path) -> None:
    for launch in (
        order(tmp_path, "no-such-program"),
        order(tmp_path, "true", cwd=tmp_path / "nowhere"),
    ):
        done = subprocess.run(
            write(machine, launch), capture_output=True, text=True, timeout=10, check=False
        )
        assert done.returncode == NOT_STARTED
        assert f"could not start {launch.argv[0]} in {launch.cwd}: No such file" in done.stdout


def test_a_process_that_is_yet_to_become_the_launcher_finds_its_file_and_another_finds_none(
    tmp_path: Path,
) -> None:
    launch = order(tmp_path, "true")
    file = Path(write(LocalMachine(), launch)[-1])
    forking = "import os, time; child = os.fork(); print(child, flush=True) if child else time.sleep(60); os.wait()"
    with subprocess.Popen([sys.executable, "-c", forking], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        tidy(LocalMachine(), launch, child)
        assert file.exists()
        os.kill(child, signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as other:
        # in the moment in which it becomes that program it has no words
        eventually(lambda: LocalMachine().words(other.pid))
        tidy(LocalMachine(), launch, other.pid)
        assert not file.exists()
        other.kill()


class _InBetween(LocalMachine):
    """Where a process is met while the kernel puts another program in its place: it has no words."""

    def __init__(self, becoming: int) -> None:
        self._becoming = becoming

    def words(self, pid: int) -> tuple[str, ...]:
        return () if pid == self._becoming else super().words(pid)


def test_a_process_in_the_middle_of_becoming_the_launcher_finds_its_file_and_one_that_ended_none(
    tmp_path: Path,
) -> None:
    """Met as an agent that never began: its supervisor was killed as it started, and the next one
    took the file away.
    """
    launch = order(tmp_path, "true")
    file = Path(write(LocalMachine(), launch)[-1])
    with subprocess.Popen(["sleep", "60"]) as becoming:
        tidy(_InBetween(becoming.pid), launch, becoming.pid)
        assert file.exists()
        becoming.kill()
        eventually(lambda: LocalMachine().processes([becoming.pid])[becoming.pid].ended)
        tidy(LocalMachine(), launch, becoming.pid)
        assert not file.exists()


def test_a_far_agent_has_the_environment_of_its_launch_and_none_of_its_words_is_run(
    tmp_path: Path,
) -> None:
    odd = "$(touch ran) `touch ran` 'quoted' \n*"
    launch = replace(
        order(tmp_path, "env", "-0"), env={"PATH": os.environ["PATH"], "KEY": odd, "TERM": "none"}
    )
    command = write(FarMachine(), launch)
    told = subprocess.run(
        command,
        capture_output=True,
        check=True,
        env={"TERM": "xterm", "SECRET": "x"} | {"PATH": os.environ["PATH"]},
    ).stdout.decode()
    env = dict(line.split("=", 1) for line in told.split("\0") if line)
    assert env["KEY"] == odd
    assert env["TERM"] == "xterm", "only the terminal knows what it is"
    assert "SECRET" not in env
    assert not (tmp_path / "ran").exists()
    assert all(odd not in word for word in command)
