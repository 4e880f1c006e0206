"""How much of the log may go, and whose place in it is lost by that. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ennio.config.model import Retention

LEAST = 1000
"""So many events stay however full the disk is."""


class Numbered(Protocol):
    """An event, as far as its age counts."""

    @property
    def seq(self) -> int:
        """Its number."""
        ...

    @property
    def timestamp(self) -> datetime:
        """When it was written."""
        ...


@dataclass(frozen=True, slots=True)
class LogSize:
    """The number given last, how far each has come who follows, and whether the limit of disk
    is reached.
    """

    last_seq: int
    places: Mapping[str, int]
    full: bool = False


@dataclass(frozen=True, slots=True)
class LogStep:
    """Up to which number it goes now (None: nothing goes), and who does not get all of it."""

    until: int | None = None
    lost: tuple[str, ...] = ()


def step(oldest: Sequence[Numbered], policy: Retention, size: LogSize, now: datetime) -> LogStep:
    """What of the oldest events goes: nothing that somebody has still to get, but where the disk
    would fill. The last ``LEAST`` stay also then.
    """
    until = None
    for event in oldest:
        by_force = size.full and event.seq <= size.last_seq - LEAST
        wanted = event.seq > min(size.places.values(), default=event.seq)
        if not by_force and (wanted or not _over(event, policy, size, now)):
            break
        until = event.seq
    if until is None:
        return LogStep()
    return LogStep(until, tuple(sorted(name for name, at in size.places.items() if at < until)))


def _over(event: Numbered, policy: Retention, size: LogSize, now: datetime) -> bool:
    too_many = policy.events_most is not None and event.seq <= size.last_seq - policy.events_most
    return too_many or is_old(event.timestamp, policy.events_after, now)


def is_old(at: datetime, after: float | None, now: datetime) -> bool:
    """Whether it is longer ago than it is kept (seconds; None: for ever)."""
    return after is not None and at < now - timedelta(seconds=after)
