"""The machine that Ennio runs on: each question is a call of the system."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal as signals
import socket
import stat as modes
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from ennio.machine import commands, files, home, links, places, process_table
from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import (
    Command,
    CompletedCommand,
    FileKind,
    FilePart,
    FileSpan,
    FileState,
    ProcessEntry,
    ProcessId,
)
from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions
from ennio.machine.watch import MachineWatch

_KINDS = {
    modes.S_IFREG: FileKind.FILE,
    modes.S_IFDIR: FileKind.FOLDER,
    modes.S_IFLNK: FileKind.LINK,
}
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe is never waited for
_AT_ONCE = 1 << 30
_LONGEST = 100  # the kernel takes 108 bytes for the address of a unix socket


class LocalMachine:
    """See ``Machine``. Keeps nothing, so any two of them are the same."""

    @property
    def name(self) -> str:
        """None: it is this one."""
        return ""

    @property
    def environ(self) -> Mapping[str, str]:
        """Our own."""
        return os.environ

    @property
    def home(self) -> Path:
        """See ``machine.places.person``."""
        return places.person()

    @property
    def user(self) -> int:
        """Who we act as."""
        return os.geteuid()

    @property
    def python(self) -> str:
        """The one that runs us."""
        return sys.executable

    def which(self, program: str, path: str | None = None) -> str | None:
        """See ``Machine``."""
        return shutil.which(program, path=path)

    def run(self, command: Command) -> CompletedCommand:
        """See ``Machine``."""
        return commands.run(command)

    def run_all(self, commands_: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        return commands.run_all(commands_)

    def run_in_turn(
        self, commands_: Sequence[Command], then: Questions = NOTHING_ASKED
    ) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        return commands.run_in_turn(commands_)

    def begin(self, command: Command, output: Path) -> BegunCommand:
        """See ``Machine``."""
        return commands.begin(command, output)

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """See ``Machine``."""
        return tuple(map(_read, wanted))

    def stat(
        self, paths: Sequence[Path], *, follow: bool = True
    ) -> tuple[FileState | OSError, ...]:
        """See ``Machine``."""
        return tuple(_stat(path, follow=follow) for path in paths)

    def foreseen(
        self, questions: Questions, look: NextLook | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """Each look here is a call of the system."""
        del questions, look
        return contextlib.nullcontext()

    def looking_ahead(self, look: NextLook) -> contextlib.AbstractContextManager[None]:
        """Each look here is a call of the system."""
        del look
        return contextlib.nullcontext()

    def gathered(self) -> contextlib.AbstractContextManager[None]:
        """Each change here is made at once."""
        return contextlib.nullcontext()

    def list(self, folder: Path) -> tuple[str, ...]:
        """See ``Machine``."""
        return tuple(os.listdir(folder))

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """See ``Machine``."""
        return tuple(Path(os.path.realpath(path)) for path in paths)

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
        if not new:
            files.write_atomically(path, content, mode=mode, keep_mode=keep_mode, durable=durable)
            return
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb"
        ) as file:
            file.write(content)

    def append(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """See ``Machine``."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, mode), "ab") as file:
            file.write(content)

    def make_folder(self, folder: Path, *, private: bool = False, new: bool = False) -> None:
        """See ``Machine``."""
        if new:
            folder.mkdir(mode=0o700 if private else 0o777)
        elif private:
            home.private(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)

    def temporary_folder(self) -> Path:
        """See ``Machine``."""
        return Path(tempfile.mkdtemp(prefix="ennio-"))

    def link_below(self, folder: Path, relative: Path, to: Path) -> None:
        """See ``Machine``."""
        links.place(folder, relative, to)

    def copy(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        shutil.copy2(path, to)

    def rename(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        os.replace(path, to)

    def remove(self, paths: Iterable[Path]) -> None:
        """See ``Machine``."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if modes.S_ISDIR(os.lstat(path).st_mode):
                    os.rmdir(path)
                else:
                    os.unlink(path)

    def remove_tree(self, folder: Path) -> None:
        """See ``Machine``."""
        shutil.rmtree(folder, ignore_errors=True)

    def is_locked(self, path: Path) -> bool:
        """See ``Machine``."""
        return files.is_held(path)

    def processes(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine``."""
        return process_table.entries(pids)

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine``."""
        with contextlib.suppress(psutil.Error):
            return tuple(psutil.Process(pid).cmdline())
        return ()

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine``."""
        return process_table.others()

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine``."""
        return process_table.marked(variable)

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """See ``Machine``."""
        for pid, born in processes:
            if process_table.is_alive(pid, born):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """See ``Machine``."""
        found = process_table.entry(leader.pid)
        if found is not None and not found.ended and found.id != leader:
            return  # the number is another's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signals.Signals(number))

    def watch(self) -> MachineWatch:
        """See ``Machine.watch``."""
        return MachineWatch()

    def now(self) -> float:
        """See ``Machine``."""
        return time.time()

    @property
    def slack(self) -> float:
        """See ``Machine``."""
        return 0.0

    def free_memory(self) -> int:
        """See ``Machine``."""
        return int(psutil.virtual_memory().available)

    def free_disk(self, path: Path) -> int:
        """See ``Machine``."""
        return shutil.disk_usage(places.standing(path)).free

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """See ``Machine``."""
        if isinstance(address, int):
            return socket.create_connection(("127.0.0.1", address), timeout)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            with _short(address) as place:
                connection.connect(place)
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """The address of a socket, short enough for the kernel however long the path is."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _state(found: os.stat_result) -> FileState:
    kind = _KINDS.get(modes.S_IFMT(found.st_mode), FileKind.OTHER)
    place = found.st_dev, found.st_ino
    return FileState(
        kind, place, found.st_size, found.st_mtime_ns, modes.S_IMODE(found.st_mode), found.st_uid
    )


def _stat(path: Path, *, follow: bool) -> FileState | OSError:
    try:
        return _state(os.stat(path, follow_symlinks=follow))
    except OSError as error:
        return error


def _read(span: FileSpan) -> FilePart | OSError:
    try:
        number = os.open(span.path, _READING | (0 if span.follow else os.O_NOFOLLOW))
    except OSError as error:
        return error
    try:
        state = _state(os.fstat(number))
        if state.kind is not FileKind.FILE:
            return OSError(errno.EINVAL, "it is no regular file", str(span.path))
        begin = span.offset if span.offset >= 0 else max(0, state.size + span.offset)
        return FilePart(_pread(number, begin, span.most), begin, state)
    except OSError as error:
        return error
    finally:
        os.close(number)


def _pread(number: int, offset: int, most: int) -> bytes:
    """Once is enough for a file, but where the system gives less at once than
    is wanted (2 GB on Linux).
    """
    parts = list[bytes]()
    while most > 0 and (part := os.pread(number, min(most, _AT_ONCE), offset)):
        parts.append(part)
        if len(part) < min(most, _AT_ONCE):
            break  # it ends here
        offset, most = offset + len(part), most - len(part)
    return b"".join(parts)
