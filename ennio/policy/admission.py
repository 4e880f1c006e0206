"""Who may start: limits per project, over all, and a floor of free memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Waits(Protocol):
    """Somebody in the queue; the order of the sequence is the order of the queue."""

    @property
    def session_id(self) -> str:
        """Who waits."""
        ...

    @property
    def project_id(self) -> str:
        """For which project."""
        ...

    @property
    def held(self) -> bool:
        """A person holds it back."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. Memory in bytes."""

    over_all: int | None
    per_project: Mapping[str, int | None]
    min_free_memory: int


@dataclass(frozen=True, slots=True)
class Room:
    """What there is: live sessions by project, and free memory in bytes
    (None: it cannot be read).
    """

    live: Mapping[str, int]
    free_memory: int | None


@dataclass(frozen=True, slots=True)
class Admission:
    """Who starts now, and why each of the others does not."""

    admitted: tuple[str, ...]
    reasons: Mapping[str, str]


MEMORY_PER_SESSION = 64 * 1024 * 1024


def decide(queue: Sequence[Waits], limits: Limits, room: Room) -> Admission:
    """Admit from the front; who is held or whose project is full lets others pass.

    Every admission is counted with the memory a session will at least take, so that twenty cannot
    pass through one measurement.
    """
    live = Counter(dict(room.live))
    free = room.free_memory
    admitted: list[str] = []
    reasons: dict[str, str] = {}
    for waiting in queue:
        reason = _obstacle(waiting, limits, live, free)
        if reason is not None:
            reasons[waiting.session_id] = reason
            continue
        admitted.append(waiting.session_id)
        live[waiting.project_id] += 1
        free = None if free is None else free - MEMORY_PER_SESSION
    return Admission(tuple(admitted), reasons)


def _obstacle(waiting: Waits, limits: Limits, live: Counter[str], free: int | None) -> str | None:
    if waiting.held:
        return f"held; `ennio queue release {waiting.session_id}` lets it start"
    most = limits.per_project.get(waiting.project_id)
    if most is not None and live[waiting.project_id] >= most:
        return (
            f"project {waiting.project_id} has {live[waiting.project_id]} of {most} sessions "
            "(max_sessions)"
        )
    if limits.over_all is not None and live.total() >= limits.over_all:
        return f"{live.total()} of {limits.over_all} sessions are live (max_sessions over all)"
    if free is not None and free < limits.min_free_memory:
        mib = 1024 * 1024
        return (
            f"{max(free, 0) // mib} MiB of memory are free, {limits.min_free_memory // mib} MiB "
            "must be (min_free_memory)"
        )
    return None
