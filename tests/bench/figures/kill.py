"""How long a person waits for a kill while what the agent wrote, 200 MB of it, is being read;
beside a kill without that.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import MeasuredHouse, come, house_at
from tests.bench.timing import pass_by
from tests.e2e.house import turn

MUCH = 200 << 20
_LINE = json.dumps({"type": "said", "t": 0.0, "text": "x" * 4000}) + "\n"
STORY = {"passthrough": {"story": [turn("any", ["hang"])]}}


def measure(run: Run) -> Iterator[Figure]:
    """Kill sessions by turns: one at rest, one whose transcript has just become long."""
    run.say("kills ...")
    bare, ours = [], []
    with house_at(run.root / "house", STORY) as house:
        house.start()
        for _ in range(run.times(2, 7)):
            bare.append(_killed(house, much=False))
            ours.append(_killed(house, much=True))
    over = (statistics.median(ours) - statistics.median(bare)) * 1000
    yield Figure(
        "kill.latency", over, "ms over", statistics.median(bare) * 1000, Wanted("value", 50.0)
    )


def _killed(house: MeasuredHouse, *, much: bool) -> float:
    name = house.spawn("Begin")
    come(lambda: house.session(name)["activity"] == "active", 30, f"{name} is at work")
    if much:
        with (house.ground.home / "sessions" / name / "transcript.jsonl").open("a") as transcript:
            transcript.write(_LINE * (MUCH // len(_LINE)))
        pass_by(1.5)  # by now it is being read, and goes on being read
    begun = time.monotonic()
    house.client.delete(f"/sessions/{name}")
    return time.monotonic() - begun


GROUP = Group(("kill.latency",), measure)
