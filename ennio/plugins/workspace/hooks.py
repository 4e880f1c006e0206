"""The ``post_create`` commands: the person's own shell commands, run in a new working copy.

They see a cleared environment (what tools need to work, the project's ``env``, and who the session
is), never the supervisor's own variables. Their output goes to the log while it is written. A
command outlives the supervisor as agents do: the next one waits for it, and begins none twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ennio.config.secrets import is_secret
from ennio.logs import Redactor
from ennio.machine.home import private
from ennio.machine.inherited import inherited
from ennio.model.errors import Refused
from ennio.plugins import orphans
from ennio.plugins.workspace import hook_run
from ennio.plugins.workspace.hook_run import Trace, Track

_LINES = 15
_TAIL = 16 * 1024
_GRACE = 2.0
_BY_SIGNAL = 128


@dataclass(frozen=True, slots=True)
class _Hooks:
    """The commands of one working copy, where they run, and how long each may take (seconds)."""

    commands: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    limit: float

    def place(self, index: int) -> str:
        """A command with its place in the configuration."""
        return f"post_create[{index}] `{self.commands[index]}`"


def run_all(
    commands: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float, log: Path | None
) -> None:
    """Run the commands in order, each within ``limit`` seconds, until one fails.

    Blocks. With a log, what was under way when the caller was interrupted or killed goes on, and
    the next call waits for it and goes on after it; without one it is ended. At the limit the
    command's whole process group is ended; what a command that succeeds leaves running is its
    author's wish. Raises Refused naming the command, how it ended and its last lines.
    """
    if not commands:
        return
    hooks = _Hooks(tuple(commands), cwd, env, limit)
    track = Track(log.parent if log is not None else None)
    with _opened(log) as out:
        try:
            for index in range(_first(hooks, track, out), len(commands)):
                _run(hooks, index, track, out)
        except Refused:
            track.forget()
            raise
    track.forget()


def _first(hooks: _Hooks, track: Track, out: IO[bytes]) -> int:
    """Where to go on: after the command that an earlier call began and that ended
    well, else at the beginning.
    """
    trace = track.found()
    if trace is not None and (trace.commands, trace.cwd) == (hooks.commands, str(hooks.cwd)):
        if not hook_run.outlast(trace, hooks.limit):
            raise Refused(_story(hooks, trace.index, _late(hooks), out, trace.offset))
        code = track.code()
        if code is not None:
            _judge(hooks, trace.index, code, out, trace.offset)
            return trace.index + 1
    _clear(hooks, trace)
    return 0


def _clear(hooks: _Hooks, trace: Trace | None) -> None:
    """End what an earlier call left, before anything is begun a second time."""
    known = orphans.family(hook_run.HERE, trace.pid, trace.born) if trace is not None else []
    session_id = hooks.env.get(orphans.MARK)
    if session_id is not None:
        orphans.end(hook_run.HERE, session_id, _GRACE, known)


def _run(hooks: _Hooks, index: int, track: Track, out: IO[bytes]) -> None:
    out.write(f"$ {hooks.commands[index]}\n".encode("utf-8", "surrogateescape"))
    start = out.seek(0, os.SEEK_END)
    process = hook_run.begin(track, hooks.commands, index, hooks.cwd, hooks.env, out)
    try:
        code = process.wait(hooks.limit)
    except subprocess.TimeoutExpired:
        hook_run.end(process)
        raise Refused(_story(hooks, index, _late(hooks), out, start)) from None
    finally:
        if (
            process.returncode is None and not track.is_kept
        ):  # the caller was interrupted, and nobody would find it again
            hook_run.tell(process.pid, signal.SIGKILL)
            process.wait()
    if code != 0:
        hook_run.tell(process.pid, signal.SIGKILL)
    _judge(hooks, index, code, out, start)


def _judge(hooks: _Hooks, index: int, code: int, out: IO[bytes], start: int) -> None:
    if code != 0:
        raise Refused(_story(hooks, index, _ending(code), out, start))


def _ending(code: int) -> str:
    """How a command ended; a shell tells the end by a signal as a code above 128."""
    if code < 0:
        return f"ended by signal {-code}"
    told = (
        f" (as by signal {code - _BY_SIGNAL})"
        if code - _BY_SIGNAL in signal.valid_signals()
        else ""
    )
    return f"ended with exit code {code}{told}"


def _late(hooks: _Hooks) -> str:
    return f"did not end within {hooks.limit:g} s (post_create_timeout) and was killed"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The cleared environment with more added to it."""
    return {**inherited(os.environ), **more}


def _story(hooks: _Hooks, index: int, end: str, out: IO[bytes], start: int) -> str:
    """What is told to everybody: the log keeps what the command printed, but
    its secrets go no further.
    """
    out.seek(max(start, out.seek(0, os.SEEK_END) - _TAIL))
    last = out.read().decode("utf-8", "replace").rstrip().splitlines()[-_LINES:]
    kept = f"; all of it is in {out.name}" if isinstance(out.name, str) else ""
    redact = Redactor()
    redact.learn([value for name, value in hooks.env.items() if is_secret(name)])
    return redact(
        "\n".join([f"{hooks.place(index)} {end}{kept}", *(last or ["(it printed nothing)"])])
    )


def _opened(log: Path | None) -> IO[bytes]:
    """The log, added to and readable, unbuffered since the commands write to it too;
    only its owner may read it.
    """
    if log is None:
        return tempfile.TemporaryFile(buffering=0)
    private(log.parent)
    return open(log, "a+b", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))
