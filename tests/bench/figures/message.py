"""From the hook of an agent that ends its turn to the message that waited for
this, taken in its terminal.

The hook is Ennio's own program, run as an agent runs it. The bare counterpart pastes the
message and presses Enter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ennio.plugins.agent import hook
from tests.bench import bare
from tests.bench.bare.typing import agent
from tests.bench.figure import Figure, Group, Run
from tests.bench.stand import MeasuredHouse, come, house_at
from tests.e2e.house import turn

_WAIT = ["sh", "-c", "while [ ! -e gate ]; do sleep 0.01; done; rm gate"]
STORY = {"passthrough": {"speed": 20, "story": [turn("any", [{"run": {"argv": _WAIT}}])]}}


def measure(run: Run) -> Iterator[Figure]:
    """One agent of each kind is told something again and again, by turns."""
    run.say("messages ...")
    ours, theirs = [], []
    with house_at(run.root / "house", STORY) as house:
        house.start()
        socket = f"{house.ground.socket}-bare"
        try:
            name, by_hand = _busy(house), agent(run.root / "bare", socket, "bare")
            come(lambda: by_hand.wrote("ready"), 20, "the bare agent is ready")
            for number in range(run.times(3, 15)):
                ours.append(_ours(house, name, f"Mind the gap {number}"))
                theirs.append(by_hand.seconds(f"Mind the gap {number}"))
            yield Figure(
                "hook.to_terminal", statistics.median(ours), "s", statistics.median(theirs)
            )
        finally:
            bare.close(socket)


def _busy(house: MeasuredHouse) -> str:
    name = house.spawn("Begin")
    come(lambda: house.session(name)["activity"] == "active", 30, f"{name} is at work")
    return name


def _ours(house: MeasuredHouse, name: str, text: str) -> float:
    """The agent is at work; a message waits; its turn ends, and its hook says so."""
    house.client.post(f"/sessions/{name}/send", {"message": text})
    ended = _turns(house, name)
    (house.ground.home / "worktrees" / "score" / name / "gate").touch()
    come(lambda: _turns(house, name) > ended, 20, "the turn ends")
    begun = time.time()
    folder: Path = house.ground.home / "sessions" / name
    words = (sys.executable, "-I", "-S", str(hook.__file__), str(folder))
    subprocess.run(
        words,
        input='{"hook_event_name": "Stop"}',
        text=True,
        check=True,
        timeout=20,
        env=house.ground.env,
    )
    taken = come(
        lambda: [entry for entry in house.ground.transcript(name) if entry.get("text") == text],
        60,
        "it has the message",
    )
    come(lambda: house.session(name)["activity"] == "active", 30, f"{name} is at work again")
    return float(taken[0]["t"] - begun)


def _turns(house: MeasuredHouse, name: str) -> int:
    return sum(entry["type"] == "turn_ended" for entry in house.ground.transcript(name))


GROUP = Group(("hook.to_terminal",), measure)
