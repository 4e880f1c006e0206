"""What a board costs that is only there, and what a key costs. By the processor's time: what else
the machine does is not its. Budgets have three times the slack here.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import pytest

from tests.e2e.house import Ground, Supervised, project, supervised

pytest.importorskip("blessed")
pytestmark = pytest.mark.e2e

SLACK = 3
RESTS = 6.0
"""Seconds for which it is watched."""
QUIET = 1.5
"""Seconds without a byte, after which it is at rest."""
KEYS = 60


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    """Sessions that wait, and nobody who works."""

    def full(ground: Ground) -> dict[str, object]:
        return project(ground, max_sessions=0)

    with supervised(tmp_path_factory.mktemp("house"), full) as made:
        for number in range(12):
            made.spawn(f"Wait {number}")
        yield made


@dataclass(frozen=True, slots=True)
class Watched:
    """A board on a terminal of ours that answers nothing, and its process."""

    ours: int
    process: psutil.Process

    def told(self, within: float) -> bytes:
        """What it writes in so many seconds."""
        found, until = b"", time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            if select.select([self.ours], [], [], left)[0]:
                found += os.read(self.ours, 65536)
        return found

    def says(self, within: float) -> bytes:
        """The first of what it writes in so many seconds."""
        ready = select.select([self.ours], [], [], within)[0]
        return os.read(self.ours, 65536) if ready else b""

    def rests(self) -> None:
        """It has said all that it has to say."""
        until = time.monotonic() + 60
        while self.told(QUIET):
            assert time.monotonic() < until, "it is never at rest"

    @property
    def used(self) -> float:
        """Seconds of the processor, up to now."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def watched(house: Supervised) -> Iterator[Watched]:
    """It stands there, with its rows, and is at rest."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))
    board = subprocess.Popen(
        house.ground.command("board", "--config", str(house.ground.config)),
        cwd=house.ground.clone,
        env={**house.ground.env, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        made = Watched(ours, psutil.Process(board.pid))
        until, shown = time.monotonic() + 60, b""
        while b"live" not in shown:
            assert time.monotonic() < until, shown
            shown += made.told(0.2)
        made.rests()
        yield made
    finally:
        board.kill()
        with suppress(OSError):
            while os.read(ours, 65536):
                pass
        os.close(ours)
        board.wait()


def test_a_board_at_rest_writes_nothing_and_hardly_works(house: Supervised) -> None:
    """Ages and the clock are told in minutes: between two of them there is nothing to say."""
    with watched(house) as board:
        for _ in range(5):
            if 60 - time.time() % 60 < RESTS + 1:  # the next minute is told
                board.told(60 - time.time() % 60)
                board.rests()
            before = board.used
            told = board.told(RESTS)
            share = (board.used - before) / RESTS
            if not told:
                break
        assert not told, f"{len(told)} bytes: {told[:200]!r}"
        assert share <= 0.005 * SLACK, f"{share:.2%} of a core"


def test_a_key_is_painted_at_once(house: Supervised) -> None:
    with watched(house) as board:
        before = board.used
        for number in range(KEYS):
            os.write(board.ours, b"kj"[number % 2 : number % 2 + 1])
            board.told(0.02)
        board.rests()
        took = (board.used - before) / KEYS
        assert took <= 0.016 * SLACK, f"{1000 * took:.1f} ms a key"


def test_what_happens_is_painted_soon_and_costs_little(house: Supervised) -> None:
    """An event to paint: 100 ms and 2 KB; twenty of them a second: 5 % of a core."""
    (session_id, *_), client = sorted(house.sessions()), house.client
    turns = itertools.cycle(("hold", "release"))

    def happens() -> None:
        client.post(f"/queue/{session_id}/{next(turns)}")

    with watched(house) as board:
        delays, told = list[float](), list[int]()
        for _ in range(12):
            begun = time.monotonic()
            happens()
            first = board.says(30)
            delays.append(time.monotonic() - begun)
            told.append(len(first + board.told(0.3)))
        assert sorted(delays)[len(delays) * 3 // 4] <= 0.1 * SLACK, delays
        assert max(told) <= 2048 * SLACK, told
        board.rests()
        before, begun, number = board.used, time.monotonic(), 0
        while time.monotonic() < begun + 4:
            happens()
            board.told(max(0.0, begun + (number := number + 1) / 20 - time.monotonic()))
        share = (board.used - before) / (time.monotonic() - begun)
        assert share <= 0.05 * SLACK, f"{share:.1%} of a core"
