"""What depends on the number of sessions: each size gets a house of its own, and all that is asked
of it is measured there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.bench import fleet
from tests.bench.figure import Figure, Group, Run
from tests.bench.figures import adoption, command, idle, spawn
from tests.bench.stand import MeasuredHouse, house_at

FEW, MANY = (10, 100), (500,)
ALONE, MOST = 1, 1000
"""One session only rests; the most are only adopted."""

_EACH: tuple[tuple[str, Callable[[Run, MeasuredHouse, int], Iterator[Figure]]], ...] = (
    (adoption.NAME, adoption.measure),
    (command.NAME, command.measure),
    (spawn.NAME, spawn.measure),
)
NAMES = (
    *(
        f"{kind}.{many}"
        for many in (*FEW, *MANY)
        for kind in (*idle.KINDS, *(name for name, _ in _EACH))
    ),
    *(f"{kind}.{ALONE}" for kind in idle.KINDS),
    f"{adoption.NAME}.{MOST}",
    *idle.MEMORY,
)


def measure(run: Run) -> Iterator[Figure]:
    """From the smallest house to the largest."""
    memory = idle.Memory()
    for many in (ALONE, *run.sizes(FEW, (*MANY, MOST))):
        kinds = [
            kind
            for kind in _kinds(run, many)
            if run.wants(f"{kind}.{many}") and f"{kind}.{many}" in NAMES
        ]
        weighed = many not in (ALONE, MOST) and any(map(run.wants, idle.MEMORY))
        if kinds or weighed:
            run.say(f"{many} sessions ...")
            with house_at(run.root / str(many)) as house:
                fleet.grow(house, many)
                idle.begin(house, many)
                if weighed:
                    memory.weigh(house, many)
                if set(kinds) & set(idle.KINDS):
                    yield from idle.measure(run, house, many)
                for kind, figure in _EACH:
                    if kind in kinds:
                        run.say(f"{kind} with {many} ...")
                        yield from figure(run, house, many)
    yield from memory.figures()


def _kinds(run: Run, many: int) -> tuple[str, ...]:
    """What is measured with so many; in a hurry, only one thing that grows with them."""
    if many == ALONE or (run.quick and many != FEW[0]):
        return idle.KINDS
    return (*idle.KINDS, *(name for name, _ in _EACH))


GROUP = Group(NAMES, measure)
