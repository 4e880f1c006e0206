"""The supervisor's log file while somebody moves it, removes it, or it grows: real processes that
write, and a real supervisor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.http import address
from ennio.http.client import find
from ennio.http.logfile import LOG, predecessor
from ennio.machine.home import Home, private
from tests.conftest import eventually

ROOT = Path(__file__).parents[2]
WRITER = """
import os, sys
from pathlib import Path
from ennio import logs
from ennio.http import logfile
logfile.LARGEST, logfile._EVERY = 1000, 0.0
logs.to_stderr(())
kept = logfile.LogFile.of_process(Path(sys.argv[1]))
if kept is not None:
    logs.before_each(kept.look)
for line in sys.stdin:
    if os.fork() == 0:
        print("forked", line, end="", file=sys.stderr)
        os._exit(0)
    os.wait()
    print(line, end="", file=sys.stderr)
    print("wrote", file=sys.__stdout__, flush=True)
"""
Write = Callable[[str], None]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where it is."""
    return tmp_path / LOG


@pytest.fixture
def write(log: Path) -> Iterator[Write]:
    """Has a process whose stderr is that file, and one forked from it, write a line."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(log)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
        )
    given, told = process.stdin, process.stdout
    assert given is not None
    assert told is not None

    def line(text: str) -> None:
        given.write(f"{text}\n")
        given.flush()
        assert told.readline() == "wrote\n"

    yield line
    given.close()
    process.wait(20)
    told.close()


def test_a_log_that_was_moved_or_removed_is_begun_anew_at_its_path(log: Path, write: Write) -> None:
    write("one")
    log.rename(log.with_name("rotated"))
    write("two")
    assert log.with_name("rotated").read_text() == "forked one\none\n"
    assert log.read_text() == "forked two\ntwo\n"
    assert log.stat().st_mode & 0o777 == 0o600
    log.unlink()
    write("three")
    assert log.read_text() == "forked three\nthree\n"


def test_a_log_that_logrotate_made_anew_is_written_to(log: Path, write: Write) -> None:
    write("one")
    log.rename(log.with_name("rotated"))
    log.touch()
    write("two")
    assert log.read_text() == "forked two\ntwo\n"


def test_a_log_that_grows_has_one_predecessor_and_both_an_end(log: Path, write: Write) -> None:
    for number in range(40):
        write(f"{number} {'x' * 90}")
    assert sorted(path.name for path in log.parent.iterdir()) == [LOG, f"{LOG}.1"]
    assert max(log.stat().st_size, predecessor(log).stat().st_size) < 1300
    last = predecessor(log).read_text() + log.read_text()
    numbers = [int(line.split()[0]) for line in last.splitlines() if not line.startswith("forked")]
    assert numbers == list(range(numbers[0], 40))  # nothing is lost in between


def test_a_pipe_in_the_place_of_the_log_stops_nobody(log: Path, write: Write) -> None:
    write("one")
    log.rename(log.with_name("rotated"))
    os.mkfifo(log)
    write("two")
    assert log.with_name("rotated").read_text().splitlines()[-1] == "two"


def test_the_log_of_a_supervisor_that_runs_may_be_moved_and_removed(tmp_path: Path) -> None:
    config = tmp_path / "ennio.yaml"
    config.write_text(
        f"port: 0\nprojects:\n  - name: My App\n    repo: {tmp_path}\n    path: {tmp_path}\n"
    )
    home = Home(tmp_path / "home")
    log = private(home.run(config)) / LOG
    env = {
        **os.environ,
        "ENNIO_HOME": str(home.root),
        "ENNIO_TRUSTED_CONFIG_PATHS": str(tmp_path),
        "ENNIO_SESSION_ID": "",
    }
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "ennio.supervise", "--config", str(config)],
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
            env=env,
        )
    try:
        eventually(lambda: address.running(home.run(config)) or process.poll() is not None)
        eventually(lambda: find(config, home, lambda: None).get("/status"))
        for away in (lambda: log.rename(log.with_name("rotated")), log.unlink):
            away()
            eventually(lambda: _heard(process, log))
        process.terminate()
        assert process.wait(20) == 0
        assert "ignored a signal" in log.read_text()
    finally:
        process.kill()
        process.wait()


def _heard(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether what it says goes to the path."""
    process.send_signal(signal.SIGTTIN)
    return log.exists() and "ignored a signal" in log.read_text()
