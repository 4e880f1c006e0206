"""One hook under way, written down beside its log: whoever comes after a crash waits for it
instead of beginning it twice.

The command's exit code is left in a file by the shell around it, since nobody can
wait for another's child.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import Command, FileSpan, Machine, ProcessId
from ennio.machine.sandbox.confined import walled_shell
from ennio.plugins import orphans

_GRACE = 2.0
LARGEST = 4 << 20  # bytes; commands may be long
_GLANCE = 0.2
_KEEPING = (
    'sh -c "$1"; code=$?; (umask 077; printf %s "$code" >"$2.new" && mv -f "$2.new" "$2") '
    "2>/dev/null; exit $code"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is written down of a command under way: which it is of which, whose process, and where
    its output begins in the log.
    """

    index: int
    commands: tuple[str, ...]
    cwd: str
    pid: int
    born: str
    began: float
    offset: int

    @property
    def process(self) -> ProcessId:
        """Its process."""
        return ProcessId(self.pid, self.born)


class Track:
    """Where the traces of one session's hooks lie; without a folder nothing is written down."""

    def __init__(self, machine: Machine, folder: Path | None) -> None:
        self._machine = machine
        self._may_stand = folder is not None
        self._trace = folder / "hook.json" if folder is not None else None
        self._code = folder / "hook.code" if folder is not None else None

    @property
    def is_kept(self) -> bool:
        """Whether what is under way can be found again."""
        return self._trace is not None

    @property
    def spans(self) -> tuple[FileSpan, ...]:
        """What is read of it."""
        return () if self._trace is None else (FileSpan(self._trace, most=LARGEST + 1),)

    def found(self) -> Trace | None:
        """The command that was under way last, if its end has not been taken note of."""
        try:
            told: dict[str, Any] = (
                json.loads(single.content(self._machine, self._trace, LARGEST))
                if self._trace is not None
                else {}
            )
            return Trace(**{**told, "commands": tuple(told["commands"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def code(self) -> int | None:
        """The exit code it left, None when it left none."""
        try:
            if self._code is None:
                return None
            return int(single.content(self._machine, self._code, LARGEST))
        except (OSError, ValueError):
            return None

    def write(self, trace: Trace) -> None:
        """Write it down in place of the one before."""
        if self._trace is not None:
            single.write_text(self._machine, self._trace, json.dumps(asdict(trace)))
            self._may_stand = True

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._machine.remove(path for path in (self._trace, self._code) if path is not None)
        self._may_stand = False

    def is_over(self) -> None:
        """The same at the end of all; a code without a trace says nothing to anybody, and is left
        to the next command.
        """
        if self._may_stand:
            self.forget()

    def command(self, command: str) -> tuple[str, ...]:
        """The words that run it and keep its exit code."""
        return (
            ("sh", "-c", command)
            if self._code is None
            else ("sh", "-c", _KEEPING, "sh", command, str(self._code))
        )


def begin(
    machine: Machine,
    track: Track,
    commands: tuple[str, ...],
    index: int,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
) -> BegunCommand:
    """Begin one of the commands in a kernel session of its own; what it prints is added to a log
    that is there. Who begins it writes its trace down at once.
    """
    track.forget()
    walled = walled_shell(machine, cwd, ("sh", "-c", commands[index]), doors=True)
    words = track.command(commands[index] if walled is None else walled)
    # its exit code is kept on this side of the walls
    where = str(cwd) if walled is None else "/"
    return machine.begin(Command(words, where, dict(env)), log)


def trace_of(begun: BegunCommand, commands: tuple[str, ...], index: int, cwd: Path) -> Trace:
    """What is written down of it."""
    return Trace(index, commands, str(cwd), *begun.id, time.time(), begun.offset)


def outlast(machine: Machine, trace: Trace, limit: float) -> bool:
    """Wait for the end of a command that somebody else began; False when it took longer than
    its limit and was ended.
    """
    while single.is_alive(machine, *trace.process):
        if time.time() - trace.began > limit:
            known = orphans.family(machine, *trace.process)
            orphans.end_known(machine, known, _GRACE, f"the hook {trace.commands[trace.index]!r}")
            return False
        time.sleep(_GLANCE)
    return True


def end(machine: Machine, begun: BegunCommand) -> None:
    """Ask the group to end, then make it."""
    machine.signal_group(begun.id, signal.SIGTERM)
    begun.wait(_GRACE)
    kill(machine, begun)


def kill(machine: Machine, begun: BegunCommand) -> None:
    """End a command and all that stayed in its group."""
    machine.signal_group(begun.id, signal.SIGKILL)
    begun.wait(_GRACE)


def under_way(machine: Machine, folder: Path) -> list[ProcessId]:
    """The processes of the hook of a session that was under way last, marked or not."""
    trace = Track(machine, folder).found()
    return orphans.family(machine, *trace.process) if trace is not None else []
