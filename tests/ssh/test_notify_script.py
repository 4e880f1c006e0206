"""The shell that reads a pipe for hooks, run as it is over there, by each shell there is."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.machine.ssh.notify_pipe import WAITS
from tests.conftest import eventually
from tests.shells import POSIX, words_of

pytestmark = pytest.mark.real


@pytest.fixture(params=POSIX)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return words_of(request.param)


@pytest.fixture
def waits(shell: list[str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [*shell, "-c", WAITS.decode()]
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    made = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, start_new_session=True
    )
    yield made
    for end in (made.stdin, made.stdout):
        if end is not None:
            end.close()
    made.wait(30)
    eventually(lambda: not _group(made.pid), why="nothing of it is left")


def _group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def pipe(tmp_path: Path) -> Path:
    """The pipe, once it is read."""
    folder = tmp_path / ".ennio" / "notify"
    found = eventually(lambda: [path for path in folder.glob("[!.]*:*") if path.is_fifo()])
    assert isinstance(found, list)
    (path,) = found
    assert isinstance(path, Path)
    return path


def notify(path: Path, *names: str) -> None:
    with path.open("r+b", buffering=0) as pipe:
        for name in names:
            pipe.write(name.encode() + b"\n")


def told(waits: subprocess.Popen[bytes], within: float = 30.0) -> list[str]:
    """The next line, in words; none where none comes."""
    assert waits.stdout is not None
    if not select.select([waits.stdout], [], [], within)[0]:
        return []
    return os.read(waits.stdout.fileno(), 1 << 16).decode().split()


def say(waits: subprocess.Popen[bytes], words: bytes) -> None:
    assert waits.stdin is not None
    waits.stdin.write(words)
    waits.stdin.flush()


def test_who_writes_is_told_in_one_line_once_the_one_before_was_acknowledged(
    waits: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    place = pipe(tmp_path)
    notify(place, "fix-1")
    assert told(waits) == ["fix-1"]
    notify(place, "fix-2", "fix-1", "fix-2", "", "; echo odd", "$(id)", "fix_3.a", "fix-2")
    assert told(waits, 0.3) == []
    say(waits, b"+\n")
    assert told(waits) == ["fix-2", "fix-1", "fix_3.a"]
    say(waits, b"+\n+\n")
    assert told(waits, 0.3) == []
    notify(place, "fix-1")
    assert told(waits) == ["fix-1"]


def test_it_takes_everything_in_and_keeps_little_of_it(
    waits: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    place = pipe(tmp_path)
    notify(place, "first")
    assert told(waits) == ["first"]
    notify(place, *(f"session-{number}" for number in range(5000)))
    say(waits, b"+\n")
    names = told(waits)
    assert names == [f"session-{number}" for number in range(len(names))]
    assert 200 < len(names) < 500
    say(waits, b"+\n")
    notify(place, "last")
    assert told(waits) == ["last"]


ENDS = {
    "the connection ends": lambda waits: waits.stdin.close(),
    "nobody hears it": lambda waits: waits.stdout.close(),
    "it is told to": lambda waits: waits.send_signal(signal.SIGTERM),
    "it hangs up": lambda waits: waits.send_signal(signal.SIGHUP),
}
SIGNALS = ("it is told to", "it hangs up")


@pytest.mark.parametrize("how", ENDS)
def test_it_removes_the_pipe_when_it_ends(
    waits: subprocess.Popen[bytes], tmp_path: Path, how: str
) -> None:
    place = pipe(tmp_path)
    ENDS[how](waits)
    if how == "nobody hears it":
        notify(place, "fix-1")

    def ended() -> bool:
        if how in SIGNALS and waits.poll() is None:
            ENDS[how](waits)  # one that comes between two commands is seen after the second
        return not place.exists() and waits.poll() is not None

    eventually(ended)


def test_one_that_was_killed_leaves_nobody(waits: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Its pipe is removed by the next."""
    place = pipe(tmp_path)
    waits.kill()
    waits.wait(30)
    assert place.is_fifo()
    assert waits.stdin is not None
    waits.stdin.close()
    eventually(lambda: not _group(waits.pid))
