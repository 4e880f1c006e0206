"""Commands that run on this machine: never asking, ended in time, with their whole group.

Each is the leader of a kernel session of its own, so it has no terminal to ask on. What it prints
goes through pipes, but for one that leaves a server behind: that would keep a pipe open for good,
so its outputs are files without a name. So are those of one that only reads, where such files are
in memory: nothing outlives it, and a pipe would take a greenlet that reads it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ennio.machine import process_table
from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import Command, CompletedCommand, Overdue, ProcessId

_GLANCE = 5.0  # seconds between two looks whether more was put out
_IN_MEMORY = hasattr(os, "memfd_create")


def run(command: Command) -> CompletedCommand:
    """See ``Machine.run``."""
    with _begun(command) as running:
        return running.answer()


def run_all(commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
    """See ``Machine.run_all``."""
    with contextlib.ExitStack() as stack:
        begun = [stack.enter_context(_begun(command)) for command in commands]
        return tuple(running.answer() for running in begun)


def run_in_turn(commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
    """See ``Machine.run_in_turn``."""
    done = list[CompletedCommand]()
    for command in commands:
        done.append(run(command))
        if done[-1].code != 0 or done[-1].overdue is not None:
            break
    return tuple(done)


def begin(command: Command, output: Path) -> BegunCommand:
    """See ``Machine.begin``."""
    number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        offset = os.fstat(number).st_size
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=number,
            stderr=number,
            start_new_session=True,
        )
    finally:
        os.close(number)
    born = process_table.start_of(process.pid)
    return _Child(ProcessId(process.pid, born), process, offset)


@dataclass(frozen=True, slots=True)
class _Child:
    """A command of ours; see ``BegunCommand``."""

    id: ProcessId
    process: subprocess.Popen[bytes]
    offset: int

    @property
    def ended(self) -> int | None:
        """See ``BegunCommand``."""
        return self.process.returncode

    def wait(self, seconds: float) -> int | None:
        """See ``BegunCommand``."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


@dataclass(frozen=True, slots=True)
class _Files:
    """Where a command reads and prints, as far as these are no pipes; unbuffered,
    for it writes there too.
    """

    given: IO[bytes] | None = None
    told: IO[bytes] | None = None
    complained: IO[bytes] | None = None


@contextlib.contextmanager
def _begun(command: Command) -> Iterator[_Running]:
    """A command that has been started; it is over when the block is left."""
    with contextlib.ExitStack() as stack:
        files = _files(command, stack)
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=files.given or (subprocess.PIPE if command.stdin else subprocess.DEVNULL),
            stdout=files.told or subprocess.PIPE,
            stderr=files.complained or subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield _Running(command, process, files)
        finally:
            if process.returncode is None:
                _end(process, command.grace)


def _files(command: Command, stack: contextlib.ExitStack) -> _Files:
    if command.leaves_server or (command.only_reads and command.most is None and _IN_MEMORY):
        told, complained = stack.enter_context(_file()), stack.enter_context(_file())
        if not (command.stdin or command.leaves_server):
            return _Files(None, told, complained)
        given = stack.enter_context(_file())
        given.write(command.stdin)
        given.seek(0)
        return _Files(given, told, complained)
    # where its progress is looked at, it is told into a file, whose size tells of it
    return _Files() if command.silence is None else _Files(complained=stack.enter_context(_file()))


@dataclass(frozen=True, slots=True)
class _Running:
    """A command under way."""

    command: Command
    process: subprocess.Popen[bytes]
    files: _Files

    def answer(self) -> CompletedCommand:
        """Wait for its end, or end it."""
        if self.command.most is not None:
            return self._beginning(self.command.most)
        overdue = self._waited()
        if isinstance(overdue, Overdue):
            _end(self.process, self.command.grace)
            return CompletedCommand(
                self.process.returncode,
                _whole(self.files.told),
                _whole(self.files.complained),
                overdue,
            )
        stdout, stderr = overdue
        told = _whole(self.files.told) if self.files.told is not None else stdout
        complained = _whole(self.files.complained) if self.files.complained is not None else stderr
        return CompletedCommand(self.process.returncode, told or b"", complained or b"")

    def _waited(self) -> tuple[bytes | None, bytes | None] | Overdue:
        command = self.command
        given: bytes | None = None if self.files.given is not None else command.stdin or None
        begun = moved = time.monotonic()
        size = 0
        while True:
            until = (
                begun + command.timeout
                if command.silence is None
                else min(begun + command.timeout, moved + command.silence)
            )
            left = until - time.monotonic()
            try:
                return self.process.communicate(
                    given, max(0.01, left if command.silence is None else min(left, _GLANCE))
                )
            except subprocess.TimeoutExpired:
                now, told = time.monotonic(), self._told()
                if told != size:
                    size, moved = told, now
                elif now >= begun + command.timeout:
                    return Overdue.TIME
                elif command.silence is not None and now >= moved + command.silence:
                    return Overdue.SILENCE
                given = None  # it was taken over at the first call

    def _told(self) -> int:
        watched = self.command.silence is not None and self.files.complained is not None
        return (
            os.fstat(self.files.complained.fileno()).st_size
            if watched and self.files.complained is not None
            else 0
        )

    def _beginning(self, most: int) -> CompletedCommand:
        """The first bytes of its output; one that goes on is ended."""
        process, over = self.process, threading.Event()

        def late() -> None:  # closes nothing: somebody reads there
            over.set()
            _tell(process, signal.SIGKILL)

        timer = threading.Timer(self.command.timeout, late)
        timer.start()
        try:
            raw = process.stdout.read(most) if process.stdout is not None else b""
            cut = len(raw) == most
            code = 0 if cut else process.wait()
            said = b"" if cut or process.stderr is None else process.stderr.read()
        finally:
            timer.cancel()
        return CompletedCommand(code, raw, said, Overdue.TIME if over.is_set() else None, cut)


def _file() -> IO[bytes]:
    """A file without a name; in memory where the system can, so that a tick
    writes nothing to a disk.
    """
    if _IN_MEMORY:
        return os.fdopen(os.memfd_create("ennio"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _whole(file: IO[bytes] | None) -> bytes:
    if file is None:
        return b""
    file.seek(0)
    return file.read()


def _tell(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End it with its helpers. At a SIGTERM a program takes its locks and half-made things away;
    killed, it leaves them for good.
    """
    try:
        if grace > 0:
            _tell(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        _tell(process, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        # what it was still to be given is lost; a greenlet that reads here sees the end by itself
        # and closes nothing under it
        with contextlib.suppress(OSError, RuntimeError):
            if pipe is not None:
                pipe.close()
