"""The ``post_create`` commands: the person's own shell commands, run in a new working copy.

They see a cleared environment (what tools need to work, the project's ``env``, and who the session
is), never the supervisor's own variables. Their output goes to the log while it is written.
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

from ennio.config.secrets import is_secret
from ennio.errors import Refused
from ennio.home import private
from ennio.inherited import inherited
from ennio.logs import Redactor

_LINES = 15
_TAIL = 16 * 1024
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class _Hook:
    """One command with its place in the configuration and its time limit in seconds."""

    place: str
    command: str
    limit: float


def run_all(commands: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float, log: Path | None) -> None:
    """Run the commands in order, each within ``limit`` seconds, until one fails.

    Blocks. At the limit, or when the caller is interrupted, the command's whole process group is
    ended; what a command that succeeds leaves running is its author's wish. Raises Refused naming
    the command, how it ended and its last lines.
    """
    if not commands:
        return
    with _opened(log) as out:
        for index, command in enumerate(commands):
            _run(_Hook(f"post_create[{index}]", command, limit), cwd, env, out)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The cleared environment with more added to it."""
    return {**inherited(os.environ), **more}


def _run(hook: _Hook, cwd: Path, env: Mapping[str, str], out: IO[bytes]) -> None:
    out.write(f"$ {hook.command}\n".encode("utf-8", "surrogateescape"))
    start = out.seek(0, os.SEEK_END)
    process = subprocess.Popen(
        ["sh", "-c", hook.command], cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
    )
    try:
        code = process.wait(hook.limit)
    except subprocess.TimeoutExpired:
        _end(process)
        raise Refused(_story(hook, f"did not end within {hook.limit:g} s (post_create_timeout) and was killed", out, start, env)) from None
    finally:
        if process.returncode is None:  # the caller was interrupted
            _signal(process, signal.SIGKILL)
            process.wait()
    if code != 0:
        _signal(process, signal.SIGKILL)
        raise Refused(_story(hook, f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}", out, start, env))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, then make it."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _story(hook: _Hook, end: str, out: IO[bytes], start: int, env: Mapping[str, str]) -> str:
    """What is told to everybody: the log keeps what the command printed, but its secrets go no further."""
    out.seek(max(start, out.seek(0, os.SEEK_END) - _TAIL))
    last = out.read().decode("utf-8", "replace").rstrip().splitlines()[-_LINES:]
    kept = f"; all of it is in {out.name}" if isinstance(out.name, str) else ""
    redact = Redactor()
    redact.learn([value for name, value in env.items() if is_secret(name)])
    return redact("\n".join([f"{hook.place} `{hook.command}` {end}{kept}", *(last or ["(it printed nothing)"])]))


def _opened(log: Path | None) -> IO[bytes]:
    """The log, added to and readable, unbuffered since the commands write to it too; only its owner may read it."""
    if log is None:
        return tempfile.TemporaryFile(buffering=0)
    private(log.parent)
    return open(log, "a+b", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))
