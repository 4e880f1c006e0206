"""The first prompt, typed into the agent's terminal: from an agent that is ready, and from the
order, to an arrival that was verified.

The bare counterpart starts the same program in a tmux session, pastes the words and
presses Enter once it is ready.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import bare
from tests.bench.bare.typing import agent
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import MeasuredHouse, come, house_at
from tests.e2e.house import turn

TYPED = {"passthrough": {"speed": 20, "typed": True, "story": [turn("prompt", [{"say": "Done."}])]}}


def measure(run: Run) -> Iterator[Figure]:
    """By turns; medians."""
    run.say("prompts ...")
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with house_at(run.root / "house", TYPED) as house:
        house.start()
        socket = f"{house.ground.socket}-bare"
        try:
            for number in range(run.times(3, 15)):
                ours.append(_ours(house))
                theirs.append(_bare(run.root / "bare", socket, f"bare-{number}"))
        finally:
            bare.close(socket)
    for place, (name, wanted) in enumerate(
        (("prompt.verified", Wanted("value", 1.0)), ("prompt.from_spawn", None))
    ):
        value, baseline = (
            statistics.median(times[place] for times in found) for found in (ours, theirs)
        )
        yield Figure(name, value, "s", baseline, wanted)


def _ours(house: MeasuredHouse) -> tuple[float, float]:
    begun = time.time()
    name = house.spawn("Write down what you know")
    verified = come(lambda: house.told(name, "message_delivered"), 60, f"{name} has its prompt")
    ready = next(entry["t"] for entry in house.ground.transcript(name) if entry["type"] == "ready")
    return verified - ready, verified - begun


def _bare(place: Path, socket: str, name: str) -> tuple[float, float]:
    begun = time.time()
    by_hand = agent(place, socket, name)
    ready = float(come(lambda: by_hand.wrote("ready"), 20, "the bare agent is ready")[0]["t"])
    taken = by_hand.take("Write down what you know")
    return taken - ready, taken - begun


GROUP = Group(("prompt.verified", "prompt.from_spawn"), measure)
