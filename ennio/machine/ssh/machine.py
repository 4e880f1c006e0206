"""A machine at the other end of an SSH connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path

from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import (
    Command,
    CompletedCommand,
    FilePart,
    FileSpan,
    FileState,
    ProcessEntry,
    ProcessId,
)
from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions
from ennio.machine.ssh import facts, files, memory
from ennio.machine.ssh.begun import begin
from ennio.machine.ssh.commands import RemoteCommands
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.far_watch import FarWatch
from ennio.machine.ssh.file_looks import FileLooks
from ennio.machine.ssh.files import RemoteFiles
from ennio.machine.ssh.foreseen import ForeseenAnswers, Foresight, Told, takes, told_before
from ennio.machine.ssh.pool import Count, ShellPool
from ennio.machine.ssh.processes import ProcessListing, RemoteProcesses
from ennio.machine.ssh.shell import ShellAnswer
from ennio.machine.ssh.sockets import RemoteSockets
from ennio.machine.ssh.target import SshTarget


class SshMachine:
    """See ``Machine``. Connects when it is asked for the first time, and again whenever a
    connection was lost; every question may raise Unreachable.

    There need be no Python over there, and ``python`` is empty: what stands beside agents is
    for the shell.
    """

    def __init__(self, target: SshTarget, pool: ShellPool | None = None) -> None:
        self.target = target
        self._pool = pool or ShellPool(target)
        self._meeting = threading.Lock()
        self._known: MachineFacts | None = None
        self._ahead = ForeseenAnswers()

    def __repr__(self) -> str:
        return f"SshMachine({self.name!r})"

    @property
    def name(self) -> str:
        """What Ennio calls it."""
        return self.target.name

    @property
    def count(self) -> Count:
        """How much it was asked."""
        return self._pool.count

    @property
    def facts(self) -> MachineFacts:
        """What it is like; asked once. Raises Unreachable."""
        if self._known is None:
            with self._meeting:
                if self._known is None:
                    self._known = facts.ask(self._pool)
        return self._known

    @property
    def environ(self) -> Mapping[str, str]:
        """That of a command that is run over there."""
        return self.facts.environ

    @property
    def home(self) -> Path:
        """See ``Machine``."""
        return self.facts.home

    @property
    def user(self) -> int:
        """See ``Machine``."""
        return self.facts.user

    @property
    def python(self) -> str:
        """None is needed over there."""
        return ""

    def check(self) -> None:
        """Ask it something now, whatever went wrong before. Raises Unreachable."""
        self._pool.wake()
        self._pool.ask(b":\n")

    def hurry(self) -> None:
        """Somebody waits for it: see ``Backoff.hurry``."""
        self._pool.hurry()

    def close(self) -> None:
        """End the connections; the next question opens others."""
        self._pool.close()

    # --- programs ---------------------------------------------------------------------------------

    @cached_property
    def _commands(self) -> RemoteCommands:
        return RemoteCommands(self._pool, self.facts)

    def which(self, program: str, path: str | None = None) -> str | None:
        """See ``Machine``."""
        told = self._ahead.told
        if told is not None and (program, path) in told.programs:
            return told.programs[program, path]
        answer = self._pool.ask(files.finding(program, path))
        return files.found(bytes(answer.out), answer.code)

    def run(self, command: Command) -> CompletedCommand:
        """See ``Machine``."""
        return self.run_all((command,))[0]

    def run_all(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """See ``Machine``; what was asked ahead only reads."""
        told = self._ahead.told
        known = [told.completed(one) for one in commands] if told is not None else []
        if known and all(done is not None for done in known):
            return tuple(done for done in known if done is not None)
        if not all(one.only_reads for one in commands):
            self._ahead.forget()
        return self._commands.run_all(commands)

    def run_in_turn(
        self, commands: Sequence[Command], then: Questions = NOTHING_ASKED
    ) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        if not commands:
            return ()
        self._ahead.forget()
        wanted = then if self._ahead.told is not None else NOTHING_ASKED
        look = self._foresight.question(wanted, b'"$ennio_d/%d.o"' % (len(commands) - 1))
        done, answer = self._commands.run_in_turn(commands, look)
        if self._ahead.told is not None:
            self._ahead.told = self._foresight.read(answer.nonce, _told_first(answer), wanted)
        return done

    def begin(self, command: Command, output: Path) -> BegunCommand:
        """See ``Machine``."""
        self._ahead.forget()
        asked = self._ahead.asked_next
        look, more = self._foresight.question(asked), takes(asked)
        begun, answer = begin(self._pool, self.facts, command, output, look, more)
        if begun.ended is not None:
            self._ahead.tell_next(self._foresight.read(answer.nonce, bytes(answer.out), asked))
        return begun

    # --- files ------------------------------------------------------------------------------------

    @cached_property
    def _files(self) -> RemoteFiles:
        return RemoteFiles(self._pool, self.facts)

    @cached_property
    def _looks(self) -> FileLooks:
        return FileLooks(self._pool, self.facts)

    @cached_property
    def _foresight(self) -> Foresight:
        return Foresight(self._looks, self._processes)

    @contextmanager
    def foreseen(self, questions: Questions, look: NextLook | None = None) -> Iterator[None]:
        """See ``Machine``: a long line makes it dear to ask one after the other."""
        outermost, told = self._ahead.told is None, self._ahead.told or told_before(look)
        told.add(self._asked_ahead(told.missing(questions)))
        self._ahead.told = told
        try:
            yield
        finally:
            if outermost:
                self._ahead.told = None

    def _asked_ahead(self, questions: Questions) -> Told:
        body = self._foresight.question(questions)
        if not questions.commands:
            if not body:
                return Told()
            answer = self._pool.ask(body, more=takes(questions))
            return self._foresight.read(answer.nonce, bytes(answer.out), questions)
        answer, done = self._commands.look_and_run(body, questions.commands)
        told = self._foresight.read(answer.nonce, _told_first(answer), questions)
        told.commands.extend(
            pair for pair in zip(questions.commands, done, strict=False) if not pair[1].overdue
        )
        return told

    @contextmanager
    def looking_ahead(self, look: NextLook) -> Iterator[None]:
        """See ``Machine``."""
        before, self._ahead.look = self._ahead.look, look
        try:
            yield
        finally:
            self._ahead.look = before

    def gathered(self) -> AbstractContextManager[None]:
        """See ``Machine``: a long line makes it dear to wait for each."""
        return self._pool.gathered.gathering(self._flush)

    def _flush(self) -> None:
        """Make the changes that wait for nothing else."""
        asked = self._ahead.asked_next
        answer = self._pool.ask(b":\n" + self._foresight.question(asked), more=takes(asked))
        self._ahead.tell_next(self._foresight.read(answer.nonce, bytes(answer.out), asked))

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """See ``Machine``."""
        told = self._ahead.told
        known = [told.part(span) for span in wanted] if told is not None else []
        if known and all(part is not None for part in known):
            return tuple(part for part in known if part is not None)
        return self._looks.read(wanted)

    def stat(
        self, paths: Sequence[Path], *, follow: bool = True
    ) -> tuple[FileState | OSError, ...]:
        """See ``Machine``."""
        told = self._ahead.told
        known = {} if told is None else told.states if follow else told.links
        if known and all(path in known for path in paths):
            return tuple(known[path] for path in paths)
        return self._looks.stat(paths, follow=follow)

    def list(self, folder: Path) -> tuple[str, ...]:
        """See ``Machine``."""
        told = self._ahead.told
        known = told.folders.get(folder) if told is not None else None
        if isinstance(known, OSError):
            raise known
        return self._files.list(folder) if known is None else known

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """See ``Machine``."""
        told = self._ahead.told
        if told is not None and all(path in told.real for path in paths):
            return tuple(told.real[path] for path in paths)
        return self._files.real(paths)

    def write(
        self,
        path: Path,
        content: bytes,
        *,
        mode: int = 0o600,
        keep_mode: bool = False,
        durable: bool = False,
        new: bool = False,
    ) -> None:
        """See ``Machine``."""
        self._ahead.changed(path)
        self._files.write(path, content, mode=mode, keep_mode=keep_mode, durable=durable, new=new)

    def append(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """See ``Machine``."""
        self._ahead.changed(path)
        self._files.append(path, content, mode=mode)

    def make_folder(self, folder: Path, *, private: bool = False, new: bool = False) -> None:
        """See ``Machine``."""
        self._ahead.made(folder)
        self._files.make_folder(folder, private=private, new=new)

    def temporary_folder(self) -> Path:
        """See ``Machine``."""
        return self._files.temporary_folder()

    def link_below(self, folder: Path, relative: Path, to: Path) -> None:
        """See ``Machine``."""
        self._ahead.changed(folder / relative)
        self._files.link_below(folder, relative, to)

    def copy(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        self._ahead.changed(to)
        self._files.copy(path, to)

    def rename(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        self._ahead.changed(path, to)
        self._files.rename(path, to)

    def remove(self, paths: Iterable[Path]) -> None:
        """See ``Machine``."""
        each = tuple(paths)
        self._ahead.changed(*each)
        self._files.remove(each)

    def remove_tree(self, folder: Path) -> None:
        """See ``Machine``."""
        self._ahead.changed(folder)
        self._files.remove_tree(folder)

    def is_locked(self, path: Path) -> bool:
        """See ``Machine``."""
        return self._files.is_locked(path)

    # --- processes --------------------------------------------------------------------------------

    @cached_property
    def _processes(self) -> RemoteProcesses:
        return RemoteProcesses(self._pool, self.facts)

    def processes(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine``."""
        wanted, told, listing = tuple(pids), self._ahead.told, self._listing
        if listing is not None:
            return {pid: listing.known[pid] for pid in wanted if pid in listing.known}
        if told is not None and all(pid in told.entries for pid in wanted):
            known = {pid: told.entries[pid] for pid in wanted}
            return {pid: entry for pid, entry in known.items() if entry is not None}
        return self._processes.entries(wanted)

    @property
    def _listing(self) -> ProcessListing | None:
        """All, where they were asked for ahead."""
        return None if self._ahead.told is None else self._ahead.told.processes

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine``."""
        return self._processes.words(pid)

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine``."""
        listing = self._listing
        return self._processes.others() if listing is None else listing.others()

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine``."""
        told = self._ahead.told
        if told is not None and variable in told.marked:
            return told.marked[variable]
        return self._processes.marked(variable)

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """See ``Machine``."""
        self._ahead.forget()
        self._processes.signal(processes, number)

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """See ``Machine``."""
        self._ahead.forget()
        self._processes.signal_group(leader, number)

    # --- news, and the machine itself -------------------------------------------------------------

    def watch(self) -> FarWatch:
        """See ``Machine``: it is looked at, and hooks may notify us."""
        return FarWatch(self._pool)

    def now(self) -> float:
        """See ``Machine``."""
        return self._pool.time.now()

    @property
    def ahead(self) -> float:
        """How many seconds its clock is ahead of ours, as it was told last."""
        return self._pool.time.ahead

    @property
    def slack(self) -> float:
        """See ``Machine``."""
        return self._pool.time.slack

    def tell_time(self) -> None:
        """Have it tell its time, where nobody has asked it anything for a while. Raises
        Unreachable.
        """
        if self._pool.time.is_due():
            self._pool.ask(b":\n")

    def free_memory(self) -> int:
        """See ``Machine``."""
        return memory.free_memory(self._pool)

    def free_disk(self, path: Path) -> int:
        """See ``Machine``."""
        return self._files.free_disk(path)

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """See ``Machine``."""
        temporary = Path(self.facts.environ.get("TMPDIR") or "/tmp")  # noqa: S108
        return RemoteSockets(self._pool, self._files, temporary).connect(address, timeout)


def _told_first(answer: ShellAnswer) -> bytes:
    """What was told before what commands put out."""
    return bytes(answer.out).partition(answer.nonce + b"o")[0]
