"""Who may start: limits per project, per host and over all, and a floor of free memory on each
host. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in the queue; the order of the sequence is the order of the queue. ``host`` is where
    it would run, empty for this machine; a ``held`` one is held back by a person.
    """

    session_id: str
    project_id: str
    held: bool = False
    host: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. Memory in bytes; a host that ``memory_on`` does not name has the floor of
    all. ``per_host`` holds those hosts that have a limit.
    """

    over_all: int | None
    per_project: Mapping[str, int | None]
    min_free_memory: int
    per_host: Mapping[str, int] = field(default_factory=dict)
    memory_on: Mapping[str, int] = field(default_factory=dict)

    def memory_floor(self, host: str) -> int:
        """How much memory must be free on this host before one is started there."""
        return self.memory_on.get(host, self.min_free_memory)


@dataclass(frozen=True, slots=True)
class Room:
    """What there is: live sessions by project and by host, and free memory in bytes by host (None:
    it cannot be read). On a ``closed`` host nobody is started, for the reason given, and nobody
    who is ``over_budget``: they wait until there is more.
    """

    live: Mapping[str, int]
    free_memory: Mapping[str, int | None]
    closed: Mapping[str, str] = field(default_factory=dict)
    over_budget: Mapping[str, str] = field(default_factory=dict)
    live_on: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who starts now, and why each of the others does not."""

    admitted: tuple[str, ...]
    reasons: Mapping[str, str]


MEMORY_PER_SESSION = 64 * 1024 * 1024


def decide(queue: Sequence[Candidate], limits: Limits, room: Room) -> Admission:
    """Admit from the front; who is held or whose project is full lets others pass.

    Every admission is counted with the memory a session will at least take, so that twenty cannot
    pass through one measurement.
    """
    live, free = Counter(dict(room.live)), dict(room.free_memory)
    there = Counter(dict(room.live_on))
    admitted: list[str] = []
    reasons: dict[str, str] = {}
    for waiting in queue:
        reason = _obstacle(waiting, limits, room, live, there) or _memory(waiting, limits, free)
        if reason is not None:
            reasons[waiting.session_id] = reason
            continue
        admitted.append(waiting.session_id)
        live[waiting.project_id] += 1
        there[waiting.host] += 1
        left = free.get(waiting.host)
        free[waiting.host] = None if left is None else left - MEMORY_PER_SESSION
    return Admission(tuple(admitted), reasons)


def _obstacle(
    waiting: Candidate, limits: Limits, room: Room, live: Counter[str], there: Counter[str]
) -> str | None:
    if waiting.held:
        return f"held; `ennio queue release {waiting.session_id}` lets it start"
    shut = room.closed.get(waiting.host) or room.over_budget.get(waiting.session_id)
    if shut is not None:
        return shut
    project, host = waiting.project_id, waiting.host
    most = limits.per_project.get(project)
    if most is not None and live[project] >= most:
        return f"project {project} has {live[project]} of {most} sessions (max_sessions)"
    most = limits.per_host.get(host)
    if most is not None and there[host] >= most:
        return f"host {host} runs {there[host]} of {most} sessions (ssh_config.max_sessions)"
    if limits.over_all is not None and live.total() >= limits.over_all:
        return f"{live.total()} of {limits.over_all} sessions are live (max_sessions over all)"
    return None


def _memory(
    waiting: Candidate, limits: Limits, free_memory: Mapping[str, int | None]
) -> str | None:
    free, floor = free_memory.get(waiting.host), limits.memory_floor(waiting.host)
    if free is None or free >= floor:
        return None
    mib = 1024 * 1024
    where = f" on host {waiting.host}" if waiting.host else ""
    return (
        f"{max(free, 0) // mib} MiB of memory are free{where}, "
        f"{floor // mib} MiB must be (min_free_memory)"
    )
