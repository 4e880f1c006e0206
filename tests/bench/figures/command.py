"""``ennio status`` over ``python -c pass``, with so many sessions to show."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figure import Figure, Run, Wanted
from tests.bench.stand import MeasuredHouse
from tests.bench.timing import by_turns, took
from tests.e2e.house import ROOT

NAME = "status"
COMMAND = (str(ROOT / "bin" / "ennio"), "status")


def measure(run: Run, house: MeasuredHouse, many: int) -> Iterator[Figure]:
    """The command as a person types it; the house stands."""
    bare = (sys.executable, "-c", "pass")
    value, baseline = by_turns(
        run.times(5, 25),
        lambda: took(lambda: called(house, COMMAND)),
        lambda: took(lambda: called(house, bare)),
    )
    yield Figure(f"{NAME}.{many}", 1000 * value, "ms", 1000 * baseline, Wanted("ratio", 12.0))


def called(house: MeasuredHouse, command: tuple[str, ...]) -> None:
    """Run it in the folder of the configuration."""
    subprocess.run(
        command,
        cwd=house.ground.clone,
        env=house.ground.env,
        capture_output=True,
        check=True,
        timeout=60,
    )
