"""One hook under way, written down beside its log: whoever comes after a crash waits for it
instead of beginning it twice.

The command's exit code is left in a file by the shell around it, since nobody can
wait for another's child.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ennio.machine import single
from ennio.machine.files import write_atomically
from ennio.machine.interface import ProcessId
from ennio.machine.local import LocalMachine
from ennio.plugins import orphans

_GRACE = 2.0
HERE = LocalMachine()
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
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return single.is_alive(HERE, self.pid, self.born)


class Track:
    """Where the traces of one session's hooks lie; without a folder nothing is written down."""

    def __init__(self, folder: Path | None) -> None:
        self._trace = folder / "hook.json" if folder is not None else None
        self._code = folder / "hook.code" if folder is not None else None

    @property
    def is_kept(self) -> bool:
        """Whether what is under way can be found again."""
        return self._trace is not None

    def found(self) -> Trace | None:
        """The command that was under way last, if its end has not been taken note of."""
        try:
            told: dict[str, Any] = (
                json.loads(self._trace.read_text(encoding="utf-8"))
                if self._trace is not None
                else {}
            )
            return Trace(**{**told, "commands": tuple(told["commands"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def code(self) -> int | None:
        """The exit code it left, None when it left none."""
        try:
            return int(self._code.read_text(encoding="ascii")) if self._code is not None else None
        except (OSError, ValueError):
            return None

    def write(self, trace: Trace) -> None:
        """Write it down in place of the one before."""
        if self._trace is not None:
            write_atomically(self._trace, json.dumps(asdict(trace)))

    def forget(self) -> None:
        """Nothing is under way any more."""
        for path in (self._trace, self._code):
            if path is not None:
                path.unlink(missing_ok=True)

    def command(self, command: str) -> list[str]:
        """The words that run it and keep its exit code."""
        return (
            ["sh", "-c", command]
            if self._code is None
            else ["sh", "-c", _KEEPING, "sh", command, str(self._code)]
        )


def begin(
    track: Track,
    commands: tuple[str, ...],
    index: int,
    cwd: Path,
    env: Mapping[str, str],
    out: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Begin one of the commands in a kernel session of its own."""
    track.forget()
    offset = out.seek(0, os.SEEK_END)
    words = track.command(commands[index])
    process = subprocess.Popen(
        words,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
    )
    try:
        track.write(
            Trace(
                index,
                commands,
                str(cwd),
                process.pid,
                single.start_of(HERE, process.pid),
                time.time(),
                offset,
            )
        )
    except OSError:
        tell(process.pid, signal.SIGKILL)  # nobody would find it again
        process.wait()
        raise
    return process


def outlast(trace: Trace, limit: float) -> bool:
    """Wait for the end of a command that somebody else began; False when it took longer than
    its limit and was ended.
    """
    while trace.is_alive:
        if time.time() - trace.began > limit:
            orphans.end_known(
                HERE,
                orphans.family(HERE, trace.pid, trace.born),
                _GRACE,
                f"the hook {trace.commands[trace.index]!r}",
            )
            return False
        time.sleep(_GLANCE)
    return True


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, then make it."""
    tell(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    tell(process.pid, signal.SIGKILL)
    process.wait()


def tell(group: int, number: int) -> None:
    """Send a signal to a command and all that stayed in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def under_way(folder: Path) -> list[ProcessId]:
    """The processes of the hook of a session that was under way last, marked or not."""
    trace = Track(folder).found()
    return orphans.family(HERE, trace.pid, trace.born) if trace is not None else []
