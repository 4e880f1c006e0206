"""What sessions cost that do nothing: memory, processor time, processes, bytes written.

The bare counterparts: a supervisor's memory beside that of a bare Falcon application under the same
server; a session's beside that of a bare actor; processor time beside a loop that runs ``tmux
list-panes -a`` at the same interval.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from tests.bench import bare
from tests.bench.figure import Figure, Run, Wanted
from tests.bench.stand import MeasuredHouse, come
from tests.bench.timing import cpu, pass_by

KINDS = ("cpu.idle", "subprocesses", "written.idle")
_MOST_CPU = {1: 0.2, 100: 0.5}
"""Percent of a core that so many may take."""
_STILL = 40
"""So many looks in a row that saw the same."""
MEMORY = ("memory.supervisor", "memory.session")


@dataclass(frozen=True, slots=True)
class Window:
    """What happened while nothing happened."""

    cpu: float
    bare_cpu: float
    processes: float
    written: float


@dataclass(slots=True)
class Memory:
    """What houses of different sizes take: bytes of their own by number of sessions, and
    the smallest as a whole.
    """

    own: dict[int, float] = field(default_factory=dict)
    whole: float = 0.0

    def weigh(self, house: MeasuredHouse, many: int) -> None:
        """Take note of a house that stands."""
        self.own[many] = float(psutil.Process(house.workers()[0]).memory_full_info().uss)
        if many == min(self.own):
            self.whole = sum(
                float(psutil.Process(pid).memory_full_info().pss)
                for pid in (house.arbiter(), *house.workers())
            )

    def figures(self) -> Iterator[Figure]:
        """Both figures, once two houses were weighed."""
        if len(self.own) > 1:
            small, large = min(self.own), max(self.own)
            each = (self.own[large] - self.own[small]) / (large - small) / 1024
            yield Figure("memory.session", each, "KiB", bare.actor_memory(), Wanted("value", 60.0))
            yield Figure(
                "memory.supervisor",
                self.whole / 2**20,
                "MiB",
                bare.server_memory() / 2**20,
                Wanted("value", 120.0),
            )


def begin(house: MeasuredHouse, many: int) -> None:
    """Start it, and wait until it has seen everybody and has nothing to do."""
    house.forget()
    house.start()
    come(lambda: len(house.noted("seen")) >= many, 60, "every session was seen")
    house.quiet()
    _settle(house)


def _settle(house: MeasuredHouse) -> None:
    """What was seen at its start is on its way to the disk for a moment longer."""
    pids, told = (house.arbiter(), *house.workers()), list[int]()

    def settled() -> bool:
        told.append(_written(pids))
        return len(told) > _STILL and len(set(told[-_STILL:])) == 1

    come(settled, 60, "nothing is written any more")


def measure(run: Run, house: MeasuredHouse, many: int) -> Iterator[Figure]:
    """Let a window go by; what every look and every second costs is told by
    the processes themselves.
    """
    window = _window(house, run.times(5, 60))
    yield Figure(
        f"cpu.idle.{many}",
        window.cpu,
        "% of a core",
        window.bare_cpu,
        Wanted("value", _MOST_CPU[many]) if many in _MOST_CPU else None,
    )
    yield Figure(f"subprocesses.{many}", window.processes, "per look", 1.0, Wanted("value", 1.0))
    yield Figure(f"written.idle.{many}", window.written, "bytes/min", None, Wanted("value", 0.0))


def _window(house: MeasuredHouse, seconds: float) -> Window:
    """Let a window go by; what every look and every second costs is told by
    the processes themselves.
    """
    pids = (house.arbiter(), *house.workers())
    with _bare_looks(house) as looker:
        house.client.get("/status")
        before = (
            sum(map(cpu, pids)),
            cpu(looker),
            len(house.noted("processes")),
            _looks(house),
            _written(pids),
        )
        pass_by(seconds)
        after = (
            sum(map(cpu, pids)),
            cpu(looker),
            len(house.noted("processes")),
            _looks(house),
            _written(pids),
        )
    spent, bare_spent, processes, looks, written = (
        now - then for now, then in zip(after, before, strict=True)
    )
    return Window(
        100 * spent / seconds,
        100 * bare_spent / seconds,
        processes / max(looks, 1),
        written * 60 / seconds,
    )


@contextmanager
def _bare_looks(house: MeasuredHouse) -> Iterator[int]:
    """The least that could be done: one process at each interval, and
    nothing with what it tells.
    """
    words = (sys.executable, "-m", "tests.bench.bare.looks", house.ground.socket, "2")
    looker = subprocess.Popen(words, env=house.env, stdin=subprocess.DEVNULL)
    try:
        come(
            lambda: (
                psutil.Process(looker.pid).cpu_times().children_user > 0 or cpu(looker.pid) > 0.05
            ),
            20,
            "the bare loop runs",
        )
        yield looker.pid
    finally:
        looker.kill()
        looker.wait()


def _looks(house: MeasuredHouse) -> int:
    """Looks at sources that somebody has to be asked for: terminals and forges; agents' files are
    read by the sessions themselves.
    """
    sources = house.client.get("/status")["sources"]
    return sum(
        pulse["looks"]
        for name, pulse in sources.items()
        if name.startswith(("runtime:", "forge:")) and pulse["watched"]
    )


def _written(pids: tuple[int, ...]) -> int:
    """Bytes sent to a disk by these processes and by what they waited for."""
    return sum(int(psutil.Process(pid).io_counters().write_bytes) for pid in pids)
