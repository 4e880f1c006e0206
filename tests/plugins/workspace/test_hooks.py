"""``post_create``: a cleared environment, a live log, an end in every case."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins import orphans
from ennio.plugins.workspace import hooks
from tests.conftest import eventually


def test_the_supervisor_s_own_variables_are_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENNIO_API_TOKEN", "secret")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("LC_TIME", "C")

    hooks.run_all(
        LocalMachine(),
        ["env > seen"],
        tmp_path,
        hooks.environment(LocalMachine(), {"COLOUR": "blue"}),
        10,
        None,
    )

    seen = (tmp_path / "seen").read_text()
    assert "secret" not in seen
    assert "COLOUR=blue\n" in seen
    assert "LC_TIME=C\n" in seen
    assert f"PATH={os.environ['PATH']}\n" in seen


def test_the_log_is_written_while_the_command_runs_and_only_its_owner_reads_it(
    tmp_path: Path,
) -> None:
    log = tmp_path / "session" / "hooks.log"
    go = tmp_path / "go"
    command = f"echo first; while [ ! -e {go} ]; do sleep 0.05; done; echo second >&2"
    running = threading.Thread(
        target=hooks.run_all,
        args=(
            LocalMachine(),
            [command, "echo third"],
            tmp_path,
            hooks.environment(LocalMachine(), {}),
            60,
            log,
        ),
    )
    running.start()

    eventually(lambda: log.exists() and "first" in log.read_text().splitlines())
    go.touch()
    running.join(20)

    assert log.read_text().splitlines() == [
        f"$ {command}",
        "first",
        "second",
        "$ echo third",
        "third",
    ]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_only_the_last_lines_of_the_failing_command_are_told(tmp_path: Path) -> None:
    log = tmp_path / "hooks.log"
    with pytest.raises(Refused) as refusal:
        hooks.run_all(
            LocalMachine(),
            ["echo earlier", "seq 100000; exit 3", "touch never"],
            tmp_path,
            hooks.environment(LocalMachine(), {}),
            30,
            log,
        )

    lines = str(refusal.value).splitlines()
    assert (
        lines[0]
        == f"post_create[1] `seq 100000; exit 3` ended with exit code 3; all of it is in {log}"
    )
    assert lines[-1] == "100000"
    assert len(lines) == 16
    assert not (tmp_path / "never").exists()


def test_a_command_killed_by_a_signal_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"(?s)ended by signal 9.*\(it printed nothing\)"):
        hooks.run_all(
            LocalMachine(),
            ["kill -9 $$"],
            tmp_path,
            hooks.environment(LocalMachine(), {}),
            30,
            None,
        )


def test_commands_read_no_terminal(tmp_path: Path) -> None:
    hooks.run_all(
        LocalMachine(), ["cat > seen"], tmp_path, hooks.environment(LocalMachine(), {}), 10, None
    )
    assert (tmp_path / "seen").read_text() == ""


def test_an_interrupted_caller_takes_the_command_with_it(tmp_path: Path) -> None:
    code = (
        "import signal, threading, time\n"
        "from pathlib import Path\n"
        "from ennio.machine.local import LocalMachine\n"
        "from ennio.plugins.workspace import hooks\n"
        "child = Path('child')\n"
        "def interrupt():\n"
        "    while not (child.exists() and child.read_text().strip()): time.sleep(0.05)\n"
        "    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)\n"
        "threading.Thread(target=interrupt).start()\n"
        "here = LocalMachine(); hooks.run_all(here, ['sleep 300 & echo $! > child; wait'], "
        "Path('.'), hooks.environment(here, {}), "
        "60, None)\n"
    )
    path = str(Path(hooks.__file__).parents[3])
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "KeyboardInterrupt" in done.stderr
    eventually(lambda: not _runs(int((tmp_path / "child").read_text())), within=30)


def begun_and_killed(root: Path, *commands: str) -> None:
    """A caller that is killed once its first command runs; commands write to ``told``."""
    code = (
        "import sys; from pathlib import Path; from ennio.plugins.workspace import hooks\n"
        "from ennio.machine.local import LocalMachine\n"
        "env = hooks.environment(LocalMachine(), {'ENNIO_SESSION_ID': 'ho-1'})\n"
        "log = Path('session/hooks.log').absolute()\n"
        "hooks.run_all(LocalMachine(), sys.argv[1:], Path('.'), env, 60, log)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(hooks.__file__).parents[3])}
    caller = subprocess.Popen([sys.executable, "-c", code, *commands], cwd=root, env=env)
    told = root / "told"
    eventually(lambda: told.exists() and "begun" in told.read_text())
    eventually((root / "session" / "hook.json").exists)
    caller.kill()
    caller.wait()


def again(root: Path, *commands: str, limit: float = 60) -> list[str]:
    """The next caller's turn; what was told by all."""
    env = hooks.environment(LocalMachine(), {"ENNIO_SESSION_ID": "ho-1"})
    hooks.run_all(LocalMachine(), commands, Path(), env, limit, root / "session" / "hooks.log")
    return (root / "told").read_text().split()


def step(name: str, seconds: float = 0.0, code: int = 0) -> str:
    """A command that tells when it begins and ends."""
    return f"echo {name}:begun >> told; sleep {seconds}; echo {name}:ended >> told; exit {code}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_hook_that_outlives_its_supervisor_is_waited_for_and_not_run_a_second_time(
    root: Path,
) -> None:
    commands = step("one", 1.5), step("two")
    begun_and_killed(root, *commands)
    assert again(root, *commands) == ["one:begun", "one:ended", "two:begun", "two:ended"]


def test_a_hook_that_ended_while_nobody_was_there_is_not_run_a_second_time(root: Path) -> None:
    commands = step("one", 0.5), step("two")
    begun_and_killed(root, *commands)
    eventually((root / "session" / "hook.code").exists)
    assert again(root, *commands) == ["one:begun", "one:ended", "two:begun", "two:ended"]


def test_a_hook_that_failed_while_nobody_was_there_failed(root: Path) -> None:
    commands = step("one", 0.5, code=7), step("two")
    begun_and_killed(root, *commands)
    with pytest.raises(Refused, match="exit code 7"):
        again(root, *commands)
    assert not (root / "session" / "hook.json").exists(), "the next try begins at the beginning"


def test_a_hook_whose_end_nobody_knows_is_ended_whole_before_it_is_begun_again(root: Path) -> None:
    commands = (f"setsid sleep 301 & {step('one', 300)}",)
    begun_and_killed(root, *commands)
    psutil.Process(
        json.loads((root / "session" / "hook.json").read_text())["pid"]
    ).kill()  # the shell around it alone: its command goes on
    assert orphans.find(LocalMachine(), "ho-1")
    quick = (step("other"),)
    assert again(root, *quick)[-2:] == ["other:begun", "other:ended"]
    assert not orphans.find(LocalMachine(), "ho-1")


def test_a_found_hook_keeps_its_limit(root: Path) -> None:
    commands = (step("one", 300),)
    begun_and_killed(root, *commands)
    with pytest.raises(Refused, match=r"within 1 s \(post_create_timeout\)"):
        again(root, *commands, limit=1)
    assert not orphans.find(LocalMachine(), "ho-1")


def _runs(pid: int) -> bool:
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.stdout.strip() not in ("", "Z")
