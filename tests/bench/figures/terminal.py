"""An agent's terminal over a WebSocket: from a key to its echo, and what a flood with eight who
watch costs whoever asks something else.

The bare counterpart of the echo is the least there could be: a pseudo-terminal, and a WebSocket
that passes its bytes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import POLL, MeasuredHouse, house_at
from tests.bench.timing import percentile
from tests.e2e.house import configure
from tests.terminal.conftest import shell
from tests.terminal.watching import Watcher, watching

ECHO, MEMORY, ANSWERS = "terminal.echo", "terminal.flood.memory", "terminal.flood.answers"
VIEWERS = 8
FLOOD = "head -c {} /dev/zero | tr '\\0' 'y' | fold -w 190; echo done-$((40+2))\r"


def measure(run: Run) -> Iterator[Figure]:
    """Both on one shell."""
    run.say("terminal ...")
    with house_at(run.root / "house") as house:
        configure(house.ground, shell("tmux")(house.ground), poll=POLL)
        house.start()
        session = house.spawn("echo begun", project="tmux")
        house.becomes(session, "working", within=60)
        control = house.client.post(f"/sessions/{session}/control", {})["control"]
        with watching(house, session, control=control) as one:
            one.sees("$")
            if run.wants(ECHO):
                yield _echo(one, run.times(60, 600))
            if run.wants("terminal.flood"):
                yield from _flood(house, session, one, run.times(10, 100) << 20)


def _echo(one: Watcher, times: int) -> Figure:
    ours, theirs = [], []
    with subprocess.Popen(
        (sys.executable, "-m", "tests.bench.bare.terminal"), stdout=subprocess.PIPE, text=True
    ) as bare:
        assert bare.stdout is not None
        with connect(f"ws://127.0.0.1:{int(bare.stdout.readline())}", proxy=None) as other:
            for _ in range(times):
                ours.append(_ours(one))
                theirs.append(_theirs(other))
        bare.kill()
    one.say("key", data="\x15")
    return Figure(
        ECHO,
        percentile(ours, 0.95) * 1000,
        "ms",
        percentile(theirs, 0.95) * 1000,
        Wanted("value", 50),
    )


def _ours(one: Watcher) -> float:
    before, begun = len(one.shown), time.perf_counter()
    one.say("key", data="x")
    one.until(lambda: len(one.shown) > before, "the echo")
    return time.perf_counter() - begun


def _theirs(other: ClientConnection) -> float:
    begun = time.perf_counter()
    other.send("x")
    other.recv(10)
    return time.perf_counter() - begun


def _flood(house: MeasuredHouse, session: str, one: Watcher, size: int) -> Iterator[Figure]:
    """The answers of others, and the memory of the worker, while so many bytes pass by."""
    worker = psutil.Process(house.workers()[0])
    quiet = [_asked(house) for _ in range(50)]
    with ExitStack() as others:
        for _ in range(VIEWERS - 1):
            viewer = others.enter_context(watching(house, session))
            threading.Thread(target=_drain, args=(viewer,), daemon=True).start()
        _drained(one, lambda: False, 1.0)
        before, most = worker.memory_info().rss, 0
        one.say("key", data=FLOOD.format(size))
        busy: list[float] = []

        def asking() -> bool:
            nonlocal most
            busy.append(_asked(house))
            most = max(most, worker.memory_info().rss)
            return b"done-42" in one.shown

        _drained(one, asking, 600)
    yield Figure(MEMORY, max(0, most - before) / 2**20, "MiB", None, Wanted("value", 10))
    yield Figure(
        ANSWERS,
        percentile(busy, 0.95) * 1000,
        "ms",
        percentile(quiet, 0.95) * 1000,
        Wanted("value", 50),
    )


def _drained(one: Watcher, over: Callable[[], bool], within: float) -> None:
    until = time.monotonic() + within
    while not over() and time.monotonic() < until:
        one.take(0.05)


def _drain(one: Watcher) -> None:
    try:
        while True:
            one.take(60)
    except (ConnectionClosed, json.JSONDecodeError):
        return


def _asked(house: MeasuredHouse) -> float:
    begun = time.perf_counter()
    house.client.get("/health")
    return time.perf_counter() - begun


GROUP = Group((ECHO, MEMORY, ANSWERS), measure)
