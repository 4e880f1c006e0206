"""What is not as it should be while the supervisor runs, and whether it can
still do its work. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

LITTLE_DISK = 2 * 1024**3
"""Bytes; with less than this free a person should make room."""
SESSION = "session:"
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Degradation:
    """One thing that is not well: of which part, which one, and why.

    ``blocks``: without it no session gets any further; else the others go on.
    """

    part: str
    name: str
    detail: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the supervisor can do its work, and what of it is not well; whoever reads
    this sees that it is live.
    """

    live: bool
    ready: bool
    degraded: tuple[Degradation, ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """What is looked at: each mapping by name, with the reason for what is not well.

    ``silent`` is why the root supervisor could not be asked. ``sources`` are forges, trackers,
    runtimes, agents and those who follow the log; ``channels`` what has failed and waits to be
    tried again. ``free_disk`` is None where it could not be read.
    """

    database: str | None = None
    configuration: str | None = None
    silent: str | None = None
    actors: Mapping[str, str] | None = None
    sources: Mapping[str, str] | None = None
    channels: Mapping[str, str] | None = None
    free_disk: int | None = None


def is_disk_low(free: int, *, told: bool = False) -> bool:
    """Whether a person should make room; one who was told is told again only once there is more."""
    return free < (LITTLE_DISK * 5 // 4 if told else LITTLE_DISK)


def judge(signs: Signs) -> Readiness:
    """What the signs say."""
    degraded = tuple(_degraded(signs))
    return Readiness(True, not any(each.blocks for each in degraded), degraded)


def _degraded(signs: Signs) -> Iterator[Degradation]:
    """First what blocks everything, then what holds up a part."""
    if signs.database:
        yield Degradation("database", "database", signs.database, blocks=True)
    if signs.silent:
        yield Degradation("actor", "root", signs.silent, blocks=True)
    for name, why in (signs.actors or {}).items():
        # one that everybody needs is never given up, but until it is back nothing goes through it
        yield Degradation("actor", name, why, blocks=not name.startswith(SESSION))
    for name, why in (signs.sources or {}).items():
        yield Degradation(name.partition(":")[0], name, why)
    for name, why in (signs.channels or {}).items():
        yield Degradation("channel", name, why)
    if signs.configuration:
        yield Degradation("configuration", "configuration", signs.configuration)
    if signs.free_disk is not None and is_disk_low(signs.free_disk):
        words = f"only {signs.free_disk / GIB:.1f} GiB are free where Ennio keeps its files"
        yield Degradation("disk", "disk", f"{words}: `ennio status --disk` shows what takes it")


def told(degraded: Iterable[Degradation]) -> str:
    """The same in one line."""
    return "; ".join(
        each.detail if each.part == each.name else f"{each.name}: {each.detail}"
        for each in degraded
    )
