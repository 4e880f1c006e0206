"""Most tests call commands whose processes are forked (``tests/fork_server.py``): they must be what
a person calls.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Api, Place
from tests.conftest import eventually
from tests.ended import Ended
from tests.fork_server import fits, forked

if not hasattr(os, "pidfd_open"):
    pytest.skip("nothing is forked on this system", allow_module_level=True)


def _real(place: Place, *words: str) -> Ended:
    done = subprocess.run(
        place.command(*words),
        cwd=place.folder,
        env=place.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "words", ["version", "status", "config check --json", "nonsense", "config show --config é"]
)
def test_a_forked_command_says_and_ends_as_one_that_loads_itself(place: Place, words: str) -> None:
    (place.folder / "ennio.yaml").write_text("port: 0\nprojects: [{name: 'ü'}]\n")
    once, again = place.ennio(*words.split()), place.ennio(*words.split())
    assert once == again == _real(place, *words.split())


def _here(folder: Path) -> list[psutil.Process]:
    """What is at work in this folder and was not begun as it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and "tests.fork_server" in process.cmdline():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.parametrize("how", ["its caller is killed", "it is killed"])
def test_a_forked_command_and_who_called_it_end_together(api: Api, how: str) -> None:
    log = next((api.place.home / "ennio" / "run").iterdir()) / "supervisor.log"
    log.write_text("begun\n")
    words = forked("logs", "-f")
    with subprocess.Popen(
        words, cwd=api.place.folder, env=api.place.env, stdout=subprocess.PIPE
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"begun\n"
        (command,) = _here(api.place.folder)
        (caller if how == "its caller is killed" else command).kill()
        assert caller.wait(20) == -signal.SIGKILL
        eventually(lambda: not _here(api.place.folder), why="the command has ended")


def test_where_an_interpreter_would_begin_otherwise_one_begins(place: Place) -> None:
    ours = dict(os.environb)
    assert fits({**ours, b"ENNIO_HOME": b"/nowhere", b"TZ": b"UTC"})
    for name in (b"LC_ALL", b"LANG", b"LD_PRELOAD", b"PYTHONWARNINGS", b"PYTHONPATH"):
        assert not fits({**ours, name: b"another"}), name
    shadow = place.home / "lib"
    shadow.mkdir()
    (shadow / "argparse.py").write_text("raise SystemExit(7)\n")
    path = os.pathsep.join((str(shadow), place.env["PYTHONPATH"]))
    assert place.ennio("status", PYTHONPATH=path).code == 7
