"""What is asked of a machine ahead of its need, all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ennio.machine.interface import Command, FileSpan


@dataclass(frozen=True, slots=True)
class PrintedPid:
    """A process whose number a command prints: in its first line, in this field (from 1 on)."""

    separator: str
    field: int


@dataclass(frozen=True, slots=True)
class Questions:
    """What is about to be asked of a machine: looks at paths, with links followed and not; real
    paths, parts of files, names in folders, programs with their search paths, commands that only
    read, all processes, some by their numbers, and those that were given a variable. What is not
    asked after all does no harm.

    ``printed`` is asked of where this goes after commands, of what the last of them printed.
    """

    states: Sequence[Path] = ()
    links: Sequence[Path] = ()
    real: Sequence[Path] = ()
    files: Sequence[FileSpan] = ()
    folders: Sequence[Path] = ()
    programs: Sequence[tuple[str, str | None]] = ()
    commands: Sequence[Command] = ()
    processes: bool = False
    pids: Sequence[int] = ()
    marked: Sequence[str] = ()
    printed: PrintedPid | None = None


NOTHING_ASKED = Questions()


@dataclass(eq=False, slots=True)
class NextLook:
    """What whoever comes next is about to ask of a machine, and what was ``told`` of it already, as
    the machine keeps that; ``at`` is when (monotonic seconds). See ``Machine.looking_ahead``.
    """

    questions: Questions
    told: object = None
    at: float = -math.inf
