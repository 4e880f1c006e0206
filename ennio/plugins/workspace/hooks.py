"""The ``post_create`` commands: the person's own shell commands, run in a new working copy.

They see a cleared environment (what tools need to work, the project's ``env``, and who the session
is), never the supervisor's own variables. Their output goes to the log while it is written. A
command outlives the supervisor as agents do: the next one waits for it, and begins none twice.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ennio.config.secrets import is_secret
from ennio.logs import Redactor
from ennio.machine import single
from ennio.machine.inherited import inherited
from ennio.machine.interface import FileSpan, Machine
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
    """The commands of one working copy, where they run, how long each may take (seconds), and where
    their output goes; one that ``is_kept`` is there afterwards.
    """

    machine: Machine
    commands: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    limit: float
    log: Path
    is_kept: bool

    def place(self, index: int) -> str:
        """A command with its place in the configuration."""
        return f"post_create[{index}] `{self.commands[index]}`"


def run_all(
    machine: Machine,
    commands: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    limit: float,
    log: Path | None,
) -> None:
    """Run the commands in order, each within ``limit`` seconds, until one fails.

    Blocks. With a log, what was under way when the caller was interrupted or killed goes on, and
    the next call waits for it and goes on after it; without one it is ended. At the limit the
    command's whole process group is ended; what a command that succeeds leaves running is its
    author's wish. Raises Refused naming the command, how it ended and its last lines.
    """
    if not commands:
        return
    track = Track(machine, log.parent if log is not None else None)
    with _logged(machine, log) as place:
        hooks = _Hooks(machine, tuple(commands), cwd, env, limit, place, is_kept=log is not None)
        try:
            for index in range(_first(hooks, track), len(commands)):
                _run(hooks, index, track)
        except Refused:
            track.forget()
            raise
    track.is_over()


def _first(hooks: _Hooks, track: Track) -> int:
    """Where to go on: after the command that an earlier call began and that ended
    well, else at the beginning.
    """
    trace = track.found()
    if trace is not None and (trace.commands, trace.cwd) == (hooks.commands, str(hooks.cwd)):
        if not hook_run.outlast(hooks.machine, trace, hooks.limit):
            raise Refused(_story(hooks, trace.index, _late(hooks), trace.offset))
        code = track.code()
        if code is not None:
            _judge(hooks, trace.index, code, trace.offset)
            return trace.index + 1
    _clear(hooks, trace)
    return 0


def _clear(hooks: _Hooks, trace: Trace | None) -> None:
    """End what an earlier call left, before anything is begun a second time."""
    known = orphans.family(hooks.machine, *trace.process) if trace is not None else []
    session_id = hooks.env.get(orphans.MARK)
    if session_id is not None:
        orphans.end(hooks.machine, session_id, _GRACE, known)


def _run(hooks: _Hooks, index: int, track: Track) -> None:
    machine = hooks.machine
    words = f"$ {hooks.commands[index]}\n".encode("utf-8", "surrogateescape")
    code = None
    with machine.gathered():
        machine.append(hooks.log, words)
        begun = hook_run.begin(
            machine, track, hooks.commands, index, hooks.cwd, hooks.env, hooks.log
        )
    start = begun.offset
    try:
        code = begun.ended if index + 1 == len(hooks.commands) else None
        if code is None:  # else nothing is under way that anybody would have to find
            with machine.gathered():
                track.write(hook_run.trace_of(begun, hooks.commands, index, hooks.cwd))
                code = begun.wait(hooks.limit)
        if code is None:
            hook_run.end(machine, begun)
            raise Refused(_story(hooks, index, _late(hooks), start))
    except OSError:
        hook_run.kill(machine, begun)  # nobody would find it again
        raise
    finally:
        if code is None and not track.is_kept:
            # the caller was interrupted, and nobody would find it again
            hook_run.kill(machine, begun)
    if code != 0:
        hook_run.kill(machine, begun)
    _judge(hooks, index, code, start)


def _judge(hooks: _Hooks, index: int, code: int, start: int) -> None:
    if code != 0:
        raise Refused(_story(hooks, index, _ending(code), start))


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


def environment(machine: Machine, more: Mapping[str, str]) -> dict[str, str]:
    """The cleared environment with more added to it."""
    return {**inherited(machine.environ), **more}


def _story(hooks: _Hooks, index: int, end: str, start: int) -> str:
    """What is told to everybody: the log keeps what the command printed, but
    its secrets go no further.
    """
    begin = max(start, _size(hooks.machine, hooks.log) - _TAIL)
    (part,) = hooks.machine.read([FileSpan(hooks.log, begin, _TAIL)])
    raw = b"" if isinstance(part, OSError) else part.data
    last = raw.decode("utf-8", "replace").rstrip().splitlines()[-_LINES:]
    kept = f"; all of it is in {hooks.log}" if hooks.is_kept else ""
    redact = Redactor()
    redact.learn([value for name, value in hooks.env.items() if is_secret(name)])
    return redact(
        "\n".join([f"{hooks.place(index)} {end}{kept}", *(last or ["(it printed nothing)"])])
    )


def _size(machine: Machine, log: Path) -> int:
    found = single.state(machine, log)
    return found.size if found is not None else 0


@contextmanager
def _logged(machine: Machine, log: Path | None) -> Iterator[Path]:
    """Where the output goes; only its owner may read it. Without a log it goes with the call."""
    if log is not None:
        machine.make_folder(log.parent, private=True)
        yield log
        return
    folder = machine.temporary_folder()
    try:
        yield folder / "log"
    finally:
        machine.remove_tree(folder)
