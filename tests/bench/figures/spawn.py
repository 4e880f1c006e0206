"""A spawn, from the order to the launch that stands in the database, among so many other sessions.

The bare counterpart: ``git worktree add`` and ``tmux new-session`` by turns with it, among as
many others too: in the same repository, and on a terminal server of its own that has as many
sessions. Git and tmux take longer the more there are of them, whoever asks; what is measured is
what Ennio adds to that.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from tests.bench import bare
from tests.bench.figure import Figure, Run, Wanted
from tests.bench.stand import MeasuredHouse, come
from tests.bench.timing import by_turns, took

NAME = "spawn"


def measure(run: Run, house: MeasuredHouse, many: int) -> Iterator[Figure]:
    """One after the other, each when the one before has come to rest; the house stands and
    holds ``many`` sessions.
    """
    place, socket = run.root / f"bare-{many}", f"{house.ground.socket}-bare"
    place.mkdir()
    numbers = iter(range(1000))

    def by_hand() -> float:
        name = f"bare-{next(numbers)}"
        return took(
            lambda: bare.worktree_and_terminal(
                house.ground.clone, place, socket, name, "sleep", "infinity", env=house.ground.env
            )
        )

    try:
        _others(house, socket, many)
        by_hand()
        spawned(house)
        value, baseline = by_turns(run.times(4, 15), lambda: spawned(house), by_hand)
    finally:
        bare.close(socket)
    yield Figure(f"{NAME}.{many}", 1000 * value, "ms", 1000 * baseline, Wanted("ratio", 1.5))


def _others(house: MeasuredHouse, socket: str, many: int) -> None:
    """As many sessions by hand as the house has, so that the terminal server is there and as busy
    before anything is measured.
    """
    lines = "".join(
        f"new-session -d -s other-{number} -x 200 -y 50 -c / -- sleep infinity\n"
        for number in range(many)
    )
    command = ("tmux", "-L", socket, "-f", "/dev/null", "start-server", ";", "source-file", "-")
    subprocess.run(
        command, input=lines, text=True, capture_output=True, env=house.env, timeout=120, check=True
    )


def spawned(house: MeasuredHouse) -> float:
    """Seconds until a spawned session's launch stands; returns when its agent rests."""
    begun = time.time()
    name = house.spawn("Write down what you know")
    stood = come(lambda: house.told(name, "session_spawned"), 60, f"{name} is launched")
    come(lambda: house.session(name)["activity"] in ("ready", "idle"), 60, f"{name} rests")
    return float(stood - begun)
