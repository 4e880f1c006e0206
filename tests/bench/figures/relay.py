"""How fast what is in the log is on NATS, beside a client that publishes the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.timing import by_turns
from tests.nats.server import NatsServer, running

ROOT = Path(__file__).resolve().parents[3]
MODULE = "tests.bench.bare.relay"


def _measure(run: Run) -> Iterator[Figure]:
    events = run.times(5_000, 20_000)
    run.say(f"publishing {events} events on NATS")
    with running(jetstream=False) as server:
        folder = run.root / "house"
        folder.mkdir()
        _told(server, "write", folder, events)
        ours, bare = by_turns(
            run.times(5, 9),
            lambda: _told(server, "relay", folder, events),
            lambda: _told(server, "bare", folder, events),
        )
    yield Figure("relay", ours, "events/s", bare, Wanted("ratio", 0.5, most=False))


def _told(server: NatsServer, what: str, folder: Path, events: int) -> float:
    """What a process of its own measured, as the supervisor is one."""
    words = [sys.executable, "-m", MODULE, what, server.url, str(folder), str(events)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise OSError(done.stderr[-2000:])
    found: Any = json.loads(done.stdout)
    return float(found)


GROUP = Group(("relay",), _measure)
