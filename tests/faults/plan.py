"""What is to go wrong, where and when: read from the environment, each fault
once in the life of a house.

``ENNIO_FAULT`` holds orders divided by ``;``, each
``<point>:<before|after>=<fault>[#<occurrence>]``, such as ``workspace.create:after=kill#2``.
*After* means that it was done and nobody has been told. A file in the house's folder remembers over
restarts what has happened; occurrences are counted in the life of one worker.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ennio.model.errors import TimedOut, Unreachable
from tests.faults.clocks import put_clock

VARIABLE = "ENNIO_FAULT"
FREE_DISK = "free-disk"  # a file of the house: as many bytes are free as it says
HOUR = 3600.0
LONG = 1.5  # seconds a call hangs that is then given up
ROOMLESS = 1.0  # seconds a full disk stays full
_ORDER = re.compile(
    r"(?P<point>[\w.-]+):(?P<when>before|after)=(?P<fault>[a-z-]+)(?:#(?P<occurrence>\d+))?\Z"
)


class When(StrEnum):
    """On which side of the deed it happens."""

    BEFORE = "before"
    AFTER = "after"


class Fault(StrEnum):
    """What happens."""

    KILL = "kill"  # kill -9 for the worker
    KILL_ALL = "kill-all"  # kill -9 for arbiter and worker
    FAIL = "fail"  # not done, and said so
    HANG = "hang"  # not done, and said so after a long time
    LOST = "lost"  # done, and said to have failed
    BACK = "back"  # done, and the clock is put back an hour
    FORTH = "forth"  # done, and the clock is put forward an hour
    FULL = "full"  # not done, for want of room on the disk; there is none for a while
    BLOCK = "block"  # the hub stands still: no greenlet of the worker goes on


WRITTEN = ("commit.", "told.")
"""What is written to the database, and fails as SQLite does."""
KILLS = (Fault.KILL, Fault.KILL_ALL)
POSSIBLE = {When.BEFORE: (*KILLS, Fault.FAIL, Fault.HANG), When.AFTER: (*KILLS, Fault.LOST)}


@dataclass(frozen=True, slots=True)
class Order:
    """One fault at one point."""

    point: str
    when: When
    fault: Fault
    occurrence: int = 1

    def __str__(self) -> str:
        return f"{self.point}:{self.when}={self.fault}#{self.occurrence}"


def read(text: str) -> tuple[Order, ...]:
    """The orders a text holds. Raises ValueError for one that cannot be understood."""
    return tuple(_order(word) for word in text.split(";") if word)


def write(orders: Iterable[Order]) -> str:
    """The text that ``read`` reads."""
    return ";".join(map(str, orders))


def _order(word: str) -> Order:
    found = _ORDER.match(word)
    if found is None:
        raise ValueError(f"{word!r} is no order of a fault")
    return Order(
        found["point"], When(found["when"]), Fault(found["fault"]), int(found["occurrence"] or 1)
    )


def book_of(home: Path) -> Path:
    """The file that remembers which faults have happened, one order in a line."""
    return home / "faults"


def passed(home: Path) -> set[str]:
    """The names of the points that were passed at least once."""
    told = home / "points"
    return set(told.read_text().split()) if told.exists() else set()


def happened(home: Path) -> list[str]:
    """The orders that were carried out, in their order."""
    book = book_of(home)
    return book.read_text().splitlines() if book.exists() else []


def full(point: str) -> Exception:
    """What a full disk says to what is done there."""
    if not point.startswith(WRITTEN):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if os.environ.get("DATABASE_URL"):
        import psycopg

        return psycopg.errors.DiskFull("could not extend file: No space left on device")
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    return error


@dataclass
class Fuse:
    """Carries out the orders of one house as its points are passed."""

    orders: tuple[Order, ...] = ()
    home: Path = Path()
    passed: Counter[tuple[str, When]] = field(default_factory=Counter)
    full_until: float = 0.0

    def read_environment(self) -> None:
        """Be the fuse of this process's house; what is to pass it may have been loaded before."""
        self.orders = read(os.environ.get(VARIABLE, ""))
        self.home = Path(os.environ["ENNIO_HOME"])

    def passing(self, point: str, when: When) -> None:
        """Somebody comes by. Raises what was ordered, or ends the process."""
        self.passed[point, when] += 1
        if self.passed[point, when] == 1:
            with (self.home / "points").open("a") as told:
                told.write(f"{point}:{when}\n")
        for order in self.orders:
            here = (order.point, order.when) == (point, when)
            if (
                here
                and order.occurrence <= self.passed[point, when]
                and str(order) not in happened(self.home)
            ):
                self._carry_out(order)
        if when is When.BEFORE and time.monotonic() < self.full_until and self.writes(point):
            raise full(point)

    def writes(self, point: str) -> bool:
        """Whether this needs room on the disk."""
        return point.startswith(WRITTEN)

    def _carry_out(self, order: Order) -> None:
        # on the disk before it happens: it must not happen again after the restart
        with book_of(self.home).open("a") as book:
            book.write(f"{order}\n")
        words = f"the plan of faults says so ({order})"
        match order.fault:
            case Fault.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Fault.KILL_ALL:
                os.kill(os.getppid(), signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            case Fault.FAIL:
                raise Unreachable(words)
            case Fault.HANG:
                time.sleep(LONG)  # the worker's greenlets go on meanwhile
                raise TimedOut(words)
            case Fault.LOST:
                raise TimedOut(words)
            case Fault.FULL:
                self.full_until = time.monotonic() + ROOMLESS
                raise full(order.point)
            case Fault.BACK:
                put_clock(self.home, -HOUR)
            case Fault.FORTH:
                put_clock(self.home, HOUR)
            case Fault.BLOCK:
                while True:
                    pass

    def through(self, point: str, effect: Any, *args: Any, **kwargs: Any) -> Any:
        """Do it, with the point on both sides of it."""
        self.passing(point, When.BEFORE)
        result = effect(*args, **kwargs)
        self.passing(point, When.AFTER)
        return result
