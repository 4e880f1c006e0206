"""What a reading of an agent rests on: while that is as it was, the agent says the
same without being read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.model.facts import ProcessSeen

_GRAIN = 2_000_000_000
"""Nanoseconds: the coarsest clock of a file system. What was written so lately can be
written again without a trace.
"""


@dataclass(frozen=True, slots=True)
class ReadCache:
    """How far was read, a process, a screen and files as they were at a moment, and until when
    the clock changes nothing.
    """

    machine: Machine
    cursor: Mapping[str, str]
    process: ProcessSeen
    screen: int
    files: tuple[Path, ...]
    fingerprints: tuple[tuple[int, ...] | None, ...]
    until: datetime | None = None

    def is_fresh(
        self, cursor: Mapping[str, str], process: ProcessSeen, screen: str | None, now: datetime
    ) -> bool:
        """Whether all is as it was; a look costs a call for each file."""
        if (self.until is not None and now >= self.until) or dict(cursor) != self.cursor:
            return False
        return (self.process, self.screen) == (
            _lasting(process),
            hash(screen),
        ) and self.fingerprints == _fingerprints(self.machine, self.files)


def read_cache(
    machine: Machine,
    cursor: Mapping[str, str],
    process: ProcessSeen,
    screen: str | None,
    files: tuple[Path, ...],
) -> ReadCache | None:
    """What there is at this moment; None when a file has changed so lately that the
    next change might not show.
    """
    fingerprints = _fingerprints(machine, files)
    lately = int(machine.now() * 1e9) - _GRAIN
    if any(seen is not None and seen[-1] >= lately for seen in fingerprints):
        return None
    return ReadCache(machine, dict(cursor), _lasting(process), hash(screen), files, fingerprints)


def _lasting(process: ProcessSeen) -> ProcessSeen:
    """The process without the time of its last output."""
    return replace(process, output_at=None)


def _fingerprints(machine: Machine, files: Sequence[Path]) -> tuple[tuple[int, ...] | None, ...]:
    """What tells each file from itself a moment ago, when it changed last; None when it is not
    there or cannot be looked at. All are looked at by one question.
    """
    return tuple(
        None if isinstance(found, OSError) else (*found.identity, found.size, found.modified)
        for found in machine.stat(files)
    )
