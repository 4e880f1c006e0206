"""Requests that pass the metering proxy, beside those that pass one that does nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from ennio.proxy import process
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import grant
from tests.bench import bare
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.timing import by_turns
from tests.bench.wire import Wire

_BODY = b'{"model": "scripted", "stream": true, "messages": []}'
_END = b"0\r\n\r\n"


def measure(run: Run) -> Iterator[Figure]:
    """A stream of some twenty events, asked for again and again over one connection."""
    run.say("proxy ...")
    directory = ProxyDirectory(run.root / "proxy")
    directory.make()
    with bare.service("model") as model, bare.service("passing", model.url) as other:
        token = grant(directory, "s-1", 1, {"": model.url})[""]
        address = process.ensure(directory, dict(os.environ))
        try:
            with Wire(int(address.rpartition(":")[2])) as ours, Wire(other.port) as theirs:
                path, seconds = f"/{token}/v1/messages", 0.3 if run.quick else 0.5
                turns = run.times(5, 31)
                rate = by_turns(
                    turns,
                    lambda: _rate(ours, path, seconds),
                    lambda: _rate(theirs, "/v1/messages", seconds),
                )
                first = by_turns(
                    turns,
                    lambda: _first(ours, path),
                    lambda: _first(theirs, "/v1/messages"),
                )
        finally:
            process.end(directory)
    yield Figure("proxy", rate[0], "per second", rate[1], Wanted("ratio", 0.83, most=False))
    yield Figure("proxy.first", first[0] * 1000, "ms", first[1] * 1000, Wanted("ratio", 1.2))


def _rate(wire: Wire, path: str, seconds: float) -> float:
    request, done, begun = wire.request("POST", path, _BODY), 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        wire.send(request)
        wire.until(_END)
        done += 1
    return done / (time.perf_counter() - begun)


def _first(wire: Wire, path: str) -> float:
    """Seconds until the first byte of the body: the middle of a few."""
    request, found = wire.request("POST", path, _BODY), []
    for _ in range(20):
        begun = time.perf_counter()
        wire.send(request)
        rest = wire.until(b"\r\n\r\n")
        found.append(time.perf_counter() - begun)
        if not rest.endswith(_END):
            wire.until(_END)
    return sorted(found)[len(found) // 2]


GROUP = Group(("proxy", "proxy.first"), measure)
