"""From the commit of an event to its line at the client, with 200 listeners; and what a stream
costs that is open and silent.

The bare counterpart tells the hour to 200 listeners of a bare Falcon
application under the same server.
"""

from __future__ import annotations

import json
import re
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from tests.bench import bare
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import MeasuredHouse, Shortfall, house_at
from tests.bench.timing import cpu, pass_by, percentile
from tests.bench.wire import Wire

LISTENERS = 200
PARTS = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
NAMES = (*(f"event.{name}" for name in PARTS), "stream.cpu")
_DATA = re.compile(rb"^data: (\{.*\})$", re.MULTILINE)


class Crowd:
    """So many listeners of one stream, all in this process."""

    def __init__(self, wires: list[Wire], path: str) -> None:
        self._wires = wires
        self._selector = selectors.DefaultSelector()
        for wire in wires:
            wire.send(wire.request("GET", path))
            self._selector.register(wire.socket, selectors.EVENT_READ)
        self._gather(len(wires), lambda data: b"retry:" in data)

    def hear(self, moment: Callable[[Any], float]) -> list[float]:
        """Seconds from the moment of the next event to its arrival, for every listener."""
        return [
            arrived - moment(json.loads(_found(data)))
            for arrived, data in self._gather(len(self._wires), _DATA.search)
        ]

    def _gather(self, many: int, complete: Callable[[bytes], object]) -> list[tuple[float, bytes]]:
        parts: dict[Any, bytes] = {}
        found: list[tuple[float, bytes]] = []
        deadline = time.monotonic() + 30
        while len(found) < many:
            ready = self._selector.select(1.0)
            for key, _ in ready:
                data = parts.get(key.fileobj, b"") + key.fileobj.recv(65536)  # type: ignore[union-attr]
                arrived = time.time()
                parts[key.fileobj] = data
                if complete(data):
                    found.append((arrived, parts.pop(key.fileobj)))
            if time.monotonic() > deadline:
                raise Shortfall(f"{len(found)} of {many} listeners heard it within 30 s")
        return found


def _found(data: bytes) -> bytes:
    match = _DATA.search(data)
    assert match is not None
    return match[1]


def measure(run: Run) -> Iterator[Figure]:
    """Ennio's listeners and the bare ones, by turns."""
    run.say(f"events with {LISTENERS} listeners ...")
    with ExitStack() as open_, house_at(run.root / "house") as house, bare.server() as other:
        house.start()
        house.quiet()
        pids = house.workers()[0], other.worker
        seconds = run.times(2, 30)
        silent = _spent(pids, seconds)
        ours = Crowd(
            [open_.enter_context(house.wire()) for _ in range(LISTENERS)], "/api/v1/events/stream"
        )
        theirs = Crowd([open_.enter_context(Wire(other.port)) for _ in range(LISTENERS)], "/stream")
        if run.wants("stream.cpu"):
            listened = _spent(pids, seconds)
            # the clock of a process ticks in hundredths: less than a tick in the window is nothing
            each = (
                100 * max(round(more - less, 2), 0.0) / seconds / LISTENERS
                for more, less in zip(listened, silent, strict=True)
            )
            yield Figure("stream.cpu", next(each), "% of a core each", next(each))
        if any(run.wants(f"event.{name}") for name in PARTS):
            yield from _latency(run, house, other, ours, theirs)


def _spent(pids: tuple[int, int], seconds: float) -> list[float]:
    before = [cpu(pid) for pid in pids]
    pass_by(seconds)
    return [cpu(pid) - then for pid, then in zip(pids, before, strict=True)]


def _latency(
    run: Run, house: MeasuredHouse, other: bare.Server, ours: Crowd, theirs: Crowd
) -> Iterator[Figure]:
    heard: list[float] = []
    bare_heard: list[float] = []
    with house.wire() as orders, Wire(other.port) as bare_orders:
        for number in range(run.times(15, 100)):
            order = json.dumps(
                {"project_id": "score", "prompt": f"Wait {number}", "held": True}
            ).encode()
            orders.send(orders.request("POST", "/api/v1/sessions", order))
            heard += ours.hear(lambda event: datetime.fromisoformat(event["timestamp"]).timestamp())
            assert orders.answer()[0] == 200
            bare_orders.send(bare_orders.request("POST", "/tell"))
            bare_heard += theirs.hear(lambda event: float(event["at"]))
            bare_orders.answer()
    for name, part in PARTS.items():
        wanted = Wanted("value", 50.0) if name == "p95" else None
        yield Figure(
            f"event.{name}",
            1000 * percentile(heard, part),
            "ms",
            1000 * percentile(bare_heard, part),
            wanted,
        )


GROUP = Group(NAMES, measure)
