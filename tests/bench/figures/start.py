"""What a start takes of the processor: the supervisor's, both its processes to their first
answer, and that of a command that asks nobody.

The bare counterparts: a bare Falcon application under the same server, and ``python -c pass``.
Wall time says little here: it is what everything else on the machine makes of it.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

import psutil

from tests.bench import bare
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.command import called
from tests.bench.stand import MeasuredHouse, house_at
from tests.bench.timing import by_turns, cpu
from tests.e2e.house import Supervised

COMMAND = (sys.executable, "-I", "-m", "ennio.cli", "version")


def measure(run: Run) -> Iterator[Figure]:
    """Start both again and again; there are no sessions."""
    run.say("starts ...")
    with house_at(run.root / "house") as house:
        _ours(house)  # what a first start makes is there from then on
        value, baseline = by_turns(run.times(3, 9), lambda: _ours(house), _bare)
        yield Figure("start.supervisor", value, "s of processor", baseline, Wanted("ratio", 2.5))
        value, baseline = by_turns(
            run.times(5, 25),
            lambda: _spent(house, COMMAND),
            lambda: _spent(house, (sys.executable, "-I", "-c", "pass")),
        )
        yield Figure("start.command", 1000 * value, "ms of processor", 1000 * baseline)


class BegunSupervisor(Supervised):
    """One whose beginning is measured."""

    forked = False


def _ours(house: MeasuredHouse) -> float:
    """Of Ennio's own supervisor, which nobody watches from within."""
    supervised = BegunSupervisor(house.ground)
    supervised.start()
    try:
        return _of(supervised.arbiter())
    finally:
        supervised.stop()


def _bare() -> float:
    with bare.server() as server:
        return _of(server.arbiter)


def _of(arbiter: int) -> float:
    """Seconds of processor of a server and its worker so far."""
    return sum(map(cpu, (arbiter, *(child.pid for child in psutil.Process(arbiter).children()))))


def _spent(house: MeasuredHouse, command: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    called(house, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


GROUP = Group(("start.supervisor", "start.command"), measure)
