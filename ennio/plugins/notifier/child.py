"""A program that tells somebody something: given its words on standard input, within a
time, and nothing left of it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ennio.config.quantity import shown_seconds
from ennio.model.errors import Refused, TimedOut

_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How it ended, and what it said, the end of it."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last thing it said that was no blank line, shortened."""
        lines = [line.strip() for line in f"{self.out}\n{self.err}".splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""


def run_child(
    argv: Sequence[str],
    given: bytes,
    env: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
) -> ChildResult:
    """Run it to its end; whatever it started in its group is ended with it.

    Raises TimedOut, and Refused where it cannot be started.
    """
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        stdin.write(given)
        stdin.seek(0)
        process = _started(argv, stdin, out, err, env, cwd)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            words = (
                f"{Path(argv[0]).name} took longer than its {shown_seconds(timeout)}, and was ended"
            )
            raise TimedOut(words) from None
        finally:
            _end(process)
        return ChildResult(code, _tail(out), _tail(err))


def _started(
    argv: Sequence[str],
    stdin: IO[bytes],
    out: IO[bytes],
    err: IO[bytes],
    env: Mapping[str, str],
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=out,
            stderr=err,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise Refused(f"{argv[0]} cannot be started: {_why(error, cwd)}") from None


def _why(error: OSError, cwd: Path | None) -> str:
    """The system says the same of a program that is not there and of the folder it is to run in."""
    if cwd is not None and not cwd.is_dir():
        return f"the folder it is to run in, {cwd}, is not there"
    return str(error.strerror)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _MOST))
    return file.read().decode("utf-8", errors="replace")
