"""A machine at the other end of an SSH connection."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ennio.machine.interface import (
    BegunCommand,
    Command,
    CompletedCommand,
    FilePart,
    FileSpan,
    FileState,
    ProcessEntry,
    ProcessId,
)
from ennio.machine.ssh import facts
from ennio.machine.ssh.begun import begin
from ennio.machine.ssh.commands import RemoteCommands
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.file_looks import FileLooks
from ennio.machine.ssh.files import RemoteFiles
from ennio.machine.ssh.pool import Count, ShellPool
from ennio.machine.ssh.processes import RemoteProcesses
from ennio.machine.ssh.sockets import RemoteSockets
from ennio.machine.ssh.target import SshTarget
from ennio.machine.ssh.words import quoted
from ennio.model.errors import Refused

_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)


class _SeenTogether(threading.local):
    """What one look told a thread of several files."""

    states: Mapping[Path, FileState | OSError] = {}


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
        self._seen = _SeenTogether()

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

    def close(self) -> None:
        """End the connections; the next question opens others."""
        self._pool.close()

    # --- programs ---------------------------------------------------------------------------------

    @cached_property
    def _commands(self) -> RemoteCommands:
        return RemoteCommands(self._pool, self.facts)

    def which(self, program: str, path: str | None = None) -> str | None:
        """See ``Machine``."""
        where = b'"$PATH"' if path is None else quoted(path)
        body = b"ennio_o %b %b || exit 1\nprintf '%%s\\0' \"$ennio_d\"\n" % (quoted(program), where)
        answer = self._pool.ask(body)
        return os.fsdecode(bytes(answer.out[:-1])) if answer.code == 0 else None

    def run(self, command: Command) -> CompletedCommand:
        """See ``Machine``."""
        self._seen.states = {}
        return self._commands.run(command)

    def run_all(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        return self._commands.run_all(commands)

    def begin(self, command: Command, output: Path) -> BegunCommand:
        """See ``Machine``."""
        return begin(self._pool, self.facts, command, output)

    # --- files ------------------------------------------------------------------------------------

    @property
    def _files(self) -> RemoteFiles:
        """What changes files: nothing that was seen of any counts afterwards."""
        self._seen.states = {}
        return self._unchanged_files

    @cached_property
    def _unchanged_files(self) -> RemoteFiles:
        return RemoteFiles(self._pool, self.facts)

    @cached_property
    def _looks(self) -> FileLooks:
        return FileLooks(self._pool, self.facts)

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """See ``Machine``."""
        return self._looks.read(wanted)

    def stat(
        self, paths: Sequence[Path], *, follow: bool = True
    ) -> tuple[FileState | OSError, ...]:
        """See ``Machine``."""
        seen = self._seen.states
        if follow and seen and all(path in seen for path in paths):
            return tuple(seen[path] for path in paths)
        return self._looks.stat(paths, follow=follow)

    @contextmanager
    def seen_together(self, paths: Sequence[Path]) -> Iterator[None]:
        """See ``Machine``: a long line makes it dear to look at one after the other."""
        each = tuple(dict.fromkeys(paths))
        self._seen.states = dict(zip(each, self._looks.stat(each, follow=True), strict=True))
        try:
            yield
        finally:
            self._seen.states = {}

    def list(self, folder: Path) -> tuple[str, ...]:
        """See ``Machine``."""
        return self._unchanged_files.list(folder)

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """See ``Machine``."""
        return self._unchanged_files.real(paths)

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
        self._files.write(path, content, mode=mode, keep_mode=keep_mode, durable=durable, new=new)

    def append(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """See ``Machine``."""
        self._files.append(path, content, mode=mode)

    def make_folder(self, folder: Path, *, private: bool = False, new: bool = False) -> None:
        """See ``Machine``."""
        try:
            self._files.make_folder(folder, private=private, new=new)
        except OSError as error:
            if new or not private or error.errno not in _CLOSED:
                raise
            raise Refused(
                f"the folder {folder} cannot be made on {self.name}: {error.strerror}"
            ) from error

    def temporary_folder(self) -> Path:
        """See ``Machine``."""
        return self._files.temporary_folder()

    def link_below(self, folder: Path, relative: Path, to: Path) -> bool:
        """See ``Machine``."""
        return self._files.link_below(folder, relative, to)

    def copy(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        self._files.copy(path, to)

    def rename(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        self._files.rename(path, to)

    def remove(self, paths: Iterable[Path]) -> None:
        """See ``Machine``."""
        self._files.remove(paths)

    def remove_tree(self, folder: Path) -> None:
        """See ``Machine``."""
        self._files.remove_tree(folder)

    def is_locked(self, path: Path) -> bool:
        """See ``Machine``."""
        return self._unchanged_files.is_locked(path)

    # --- processes --------------------------------------------------------------------------------

    @cached_property
    def _processes(self) -> RemoteProcesses:
        return RemoteProcesses(self._pool, self.facts)

    def processes(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine``."""
        return self._processes.entries(pids)

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine``."""
        return self._processes.words(pid)

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine``."""
        return self._processes.others()

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine``."""
        return self._processes.marked(variable)

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """See ``Machine``."""
        self._processes.signal(processes, number)

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """See ``Machine``."""
        self._processes.signal_group(leader, number)

    # --- news, and the machine itself -------------------------------------------------------------

    def watch(self) -> None:
        """It is looked at; what happens there is not waited for."""
        return

    def free_memory(self) -> int:
        """See ``Machine``."""
        told = bytes(self._pool.ask(_MEMORY).out).split()
        if not told or not told[0].isdigit():
            raise OSError(errno.ENOSYS, "the free memory is not told over there")
        return int(told[0])

    def free_disk(self, path: Path) -> int:
        """See ``Machine``."""
        return self._unchanged_files.free_disk(path)

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """See ``Machine``."""
        temporary = Path(self.facts.environ.get("TMPDIR") or "/tmp")  # noqa: S108
        return RemoteSockets(self._pool, self._files, temporary).connect(address, timeout)


_MEMORY = rb"""
if [ -r /proc/meminfo ]; then
 while read -r ennio_a ennio_v ennio_x; do [ "$ennio_a" = MemAvailable: ] && ennio_z=$ennio_v
 done < /proc/meminfo; echo "$((${ennio_z:-0}*1024))"
else ennio_p=$(sysctl -n hw.pagesize 2>/dev/null || echo 4096)
 vm_stat | awk -v p="$ennio_p" '/Pages (free|inactive|speculative)/ {gsub(/\./, "", $NF); n += $NF}
  END {printf "%.0f\n", n*p}'; fi
"""
