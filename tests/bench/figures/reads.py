"""REST reads per second over a kept-alive connection, beside a bare Falcon application that gives
the same bytes under the same server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench import bare
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import house_at
from tests.bench.timing import by_turns
from tests.bench.wire import Wire


def measure(run: Run) -> Iterator[Figure]:
    """One session, as its details are asked for."""
    run.say("reads ...")
    with house_at(run.root / "house") as house:
        house.start()
        name = house.spawn("Wait", held=True)
        with house.wire() as wire:
            path = f"/api/v1/sessions/{name}"
            status, answer = wire.ask("GET", path)
            assert status == 200, answer
            with bare.server(answer) as server, Wire(server.port) as other:
                seconds = (
                    0.3 if run.quick else 0.5
                )  # short turns: what else the machine does hits both alike
                value, baseline = by_turns(
                    run.times(5, 31),
                    lambda: _rate(wire, path, seconds),
                    lambda: _rate(other, "/answer", seconds),
                )
    yield Figure("reads", value, "per second", baseline, Wanted("ratio", 0.8, most=False))


def _rate(wire: Wire, path: str, seconds: float) -> float:
    request, done, begun = wire.request("GET", path), 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        wire.send(request)
        wire.answer()
        done += 1
    return done / (time.perf_counter() - begun)


GROUP = Group(("reads",), measure)
