"""Programs the player runs: never through a shell, to be interrupted at any time.
The standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LIMIT = 120.0  # seconds one program may take
_POLL = 0.05


class StepFailed(Exception):
    """A step could not be done; its text says why."""


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    output: str,
    wait: Callable[[float, int | None], None],
) -> tuple[int, str]:
    """The exit code (negative: the signal) and what it printed; ``wait(seconds, fd)`` waits for it.

    Whatever ``wait`` raises ends the program. Raises StepFailed when there is
    none, or it takes too long.
    """
    into = os.open(output, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        pid = _spawn(argv, env, into)
        code = _finish(pid, wait)
        os.lseek(into, 0, os.SEEK_SET)
        return code, os.read(into, 1 << 20).decode(errors="replace")
    finally:
        os.close(into)


def leave_behind(seconds: float) -> int:
    """Start a sleeper that no longer belongs to this process, its group or its
    session; returns its pid.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            os.execvp("sleep", ["sleep", str(seconds)])  # noqa: S606 - a fixed program
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    pid = int(os.read(reading, 32))
    os.close(reading)
    return pid


def _spawn(argv: Sequence[str], env: Mapping[str, str], into: int) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, into, 1),
        (os.POSIX_SPAWN_DUP2, into, 2),
    ]
    try:
        return os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=actions, setpgroup=0)
    except OSError as error:
        raise StepFailed(f"{argv[0]} cannot be run: {error.strerror}") from error


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise StepFailed(f"it took longer than {LIMIT:.0f} seconds")
    return left


def _finish(pid: int, wait: Callable[[float, int | None], None]) -> int:
    watch = os.pidfd_open(pid) if sys.platform == "linux" else None
    deadline = time.monotonic() + LIMIT
    try:
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            wait(_POLL if watch is None else _left(deadline), watch)
            _left(deadline)
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        if watch is not None:
            os.close(watch)
