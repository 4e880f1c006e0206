"""A restart: from the start of the supervisor's process until it has found every session again
and seen its terminal once.

The bare counterpart: a bare Falcon application under the same server, until it answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import time

from tests.bench import bare
from tests.bench.figure import Figure, Run, Wanted
from tests.bench.stand import MeasuredHouse, come
from tests.bench.timing import by_turns, took
from tests.e2e.house import free_port

NAME = "adoption"


def measure(run: Run, house: MeasuredHouse, many: int) -> Iterator[Figure]:
    """Stop it and start it again, several times; the house stands."""

    def again() -> float:
        house.stop()
        house.forget()
        begun = time()
        house.begin()
        come(lambda: len(house.noted("seen")) >= many, 60, "every session was seen")
        last = max(map(float, house.noted("seen")))
        house.answers()
        return last - begun

    value, baseline = by_turns(run.times(1, 5), again, _bare)
    yield Figure(f"{NAME}.{many}", value, "s", baseline, Wanted("value", 3.0))


def _bare() -> float:
    port = free_port()
    begun: list[bare.Process] = []

    def stand() -> None:
        begun.append(bare.begin(port))
        come(lambda: bare.answers(port), 30, "the bare server answers")

    try:
        return took(stand)
    finally:
        for process in begun:
            bare.end(process)
