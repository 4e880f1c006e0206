"""This machine, as far as it may be believed of what the programs of a sandbox have made of it.

Commands that are about the working copy run behind the same walls as the agent, without a network
and with nothing of our environment: whatever is planted there is run in there. Files below what the
agent can write to are reached without following a link; whatever lies neither there nor among what
was named is refused, also where something in the working copy leads to it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shlex
import socket
import stat as modes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import (
    Command,
    CompletedCommand,
    FilePart,
    FileSpan,
    FileState,
    Machine,
    ProcessEntry,
    ProcessId,
)
from ennio.machine.news_watch import NewsWatch
from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions
from ennio.machine.sandbox import beneath, bubblewrap
from ennio.machine.sandbox.isolation import Isolation

_PASSED = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_CTYPE",
        "LC_MESSAGES",
        "TZ",
        "TERM",
        "ENNIO_GIT",
    ]
)
_OURS = ("GIT_OPTIONAL_LOCKS", "GIT_CEILING_DIRECTORIES", "GIT_INDEX_FILE", "GIT_TERMINAL_PROMPT")
_OWN = ("GIT_AUTHOR_", "GIT_COMMITTER_")
_LARGEST_COPY = 1 << 30


@dataclass(frozen=True)
class ConfinedMachine:
    """See ``Machine``; ``machine`` is this one, ``isolation`` the sandbox of one session."""

    machine: Machine
    isolation: Isolation

    @property
    def name(self) -> str:
        """See ``Machine``."""
        return self.machine.name

    @property
    def environ(self) -> Mapping[str, str]:
        """See ``Machine``."""
        return self.machine.environ

    @property
    def home(self) -> Path:
        """See ``Machine``."""
        return self.machine.home

    @property
    def user(self) -> int:
        """See ``Machine``."""
        return self.machine.user

    @property
    def python(self) -> str:
        """See ``Machine``."""
        return self.machine.python

    def which(self, program: str, path: str | None = None) -> str | None:
        """See ``Machine``."""
        return self.machine.which(program, path)

    # --- programs ---------------------------------------------------------------------------------

    def is_inside(self, place: str) -> bool:
        """Whether a folder is the working copy or lies in it."""
        return bool(place) and beneath.below(self.isolation.workspace, Path(place)) is not None

    def run(self, command: Command) -> CompletedCommand:
        """See ``Machine``; one about the working copy behind its walls."""
        return self.machine.run(self._walled(command))

    def run_all(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        return self.machine.run_all(list(map(self._walled, commands)))

    def run_in_turn(
        self, commands: Sequence[Command], then: Questions = NOTHING_ASKED
    ) -> tuple[CompletedCommand, ...]:
        """See ``Machine``."""
        return self.machine.run_in_turn(list(map(self._walled, commands)), then)

    def begin(self, command: Command, output: Path) -> BegunCommand:
        """See ``Machine``; with the doors, since it is a command of the project's."""
        return self.machine.begin(self._walled(command, doors=True), output)

    def _walled(self, command: Command, *, doors: bool = False) -> Command:
        place = command.place or command.cwd
        if not self.is_inside(place):
            return command
        cwd = Path(command.cwd if self.is_inside(command.cwd) else "/")
        words = bubblewrap.words(self.isolation, command.argv, cwd=cwd, doors=doors)
        env = command.env if doors else _cleared(command.env or self.environ)
        return replace(command, argv=words, cwd="/", env=env)

    # --- files ------------------------------------------------------------------------------------

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """See ``Machine``."""
        return tuple(map(self._read, wanted))

    def _read(self, span: FileSpan) -> FilePart | OSError:
        try:
            with self._at(span.path) as (path, ours):
                follow = span.follow and ours
                (part,) = self.machine.read([replace(span, path=path, follow=follow)])
        except OSError as error:
            return error
        return part

    def stat(
        self, paths: Sequence[Path], *, follow: bool = True
    ) -> tuple[FileState | OSError, ...]:
        """See ``Machine``; a link is a link where it could be anybody's."""
        return tuple(self._stat(path, follow=follow) for path in paths)

    def _stat(self, path: Path, *, follow: bool) -> FileState | OSError:
        try:
            with self._at(path) as (at, ours):
                (state,) = self.machine.stat([at], follow=follow and ours)
        except OSError as error:
            return error
        return state

    def foreseen(
        self, questions: Questions, look: NextLook | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """See ``Machine``."""
        return self.machine.foreseen(questions, look)

    def looking_ahead(self, look: NextLook) -> contextlib.AbstractContextManager[None]:
        """See ``Machine``."""
        return self.machine.looking_ahead(look)

    def gathered(self) -> contextlib.AbstractContextManager[None]:
        """See ``Machine``."""
        return self.machine.gathered()

    def list(self, folder: Path) -> tuple[str, ...]:
        """See ``Machine``."""
        root = self._root(folder)
        if root is None:
            self._check(folder)
            return self.machine.list(folder)
        with beneath.folder(*root) as place:
            return self.machine.list(place)

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """See ``Machine``."""
        return self.machine.real(paths)

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
        with self._at(path) as (at, ours):
            keeps = keep_mode and ours
            self.machine.write(at, content, mode=mode, keep_mode=keeps, durable=durable, new=new)

    def append(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """See ``Machine``; only to a plain file."""
        with self._at(path) as (at, ours):
            if ours:
                self.machine.append(at, content, mode=mode)
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
            number = os.open(at, flags | os.O_NOFOLLOW, mode)
            with os.fdopen(number, "ab") as file:
                _check_plain(number, path)
                file.write(content)

    def make_folder(self, folder: Path, *, private: bool = False, new: bool = False) -> None:
        """See ``Machine``."""
        root = self._root(folder)
        if root is None or not root[1]:
            self._check(folder)
            self.machine.make_folder(folder, private=private, new=new)
            return
        with beneath.parent(*root, make=not new) as place:
            if new:
                self.machine.make_folder(place / folder.name, private=private, new=True)
                return
            with contextlib.suppress(FileExistsError):
                os.mkdir(place / folder.name, 0o700 if private else 0o777)
        with beneath.folder(*root):
            return  # it is one, and no link to one

    def temporary_folder(self) -> Path:
        """See ``Machine``: one that our own commands behind the walls see, too."""
        self.machine.make_folder(self.isolation.scratch, private=True)
        folder = self.isolation.scratch / secrets.token_hex(8)
        self.machine.make_folder(folder, private=True, new=True)
        return folder

    def link_below(self, folder: Path, relative: Path, to: Path) -> None:
        """See ``Machine``, which follows no link there anyway."""
        self.machine.link_below(folder, relative, to)

    def copy(self, path: Path, to: Path) -> None:
        """See ``Machine``; of a plain file alone."""
        with self._at(path) as (source, _), self._at(to) as (target, _):
            number = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(number, "rb") as file:
                found = _check_plain(number, path)
                if found.st_size > _LARGEST_COPY:
                    raise OSError(errno.EFBIG, "it is too large to be copied", str(path))
                self.machine.write(target, file.read(_LARGEST_COPY), mode=found.st_mode & 0o777)
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def rename(self, path: Path, to: Path) -> None:
        """See ``Machine``."""
        with self._at(path) as (one, _), self._at(to) as (other, _):
            self.machine.rename(one, other)

    def remove(self, paths: Iterable[Path]) -> None:
        """See ``Machine``."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError), self._at(path) as (at, _):
                self.machine.remove([at])

    def remove_tree(self, folder: Path) -> None:
        """See ``Machine``."""
        with contextlib.suppress(FileNotFoundError), self._at(folder) as (at, _):
            self.machine.remove_tree(at)

    def is_locked(self, path: Path) -> bool:
        """See ``Machine``."""
        with self._at(path) as (at, _):
            return self.machine.is_locked(at)

    # --- whose files they are ---------------------------------------------------------------------

    @contextlib.contextmanager
    def _at(self, path: Path) -> Iterator[tuple[Path, bool]]:
        """Where to reach for a path, and whether no program of the sandbox could have bent it.
        Raises PermissionError for what is none of its business.
        """
        root = self._root(path)
        if root is None or not root[1]:
            self._check(path)
            yield path, True
            return
        with beneath.parent(*root) as folder:
            yield folder / path.name, False

    def _root(self, path: Path) -> tuple[Path, tuple[str, ...]] | None:
        """The innermost of the folders that it can write to above a path, with the way down."""
        found = [
            (root, names)
            for root in self.isolation.roots
            if (names := beneath.below(root, path)) is not None
        ]
        return min(found, key=lambda one: len(one[1]), default=None)

    def _check(self, path: Path) -> None:
        plain = Path(os.path.normpath(path))
        own = (*self.isolation.roots, *self.isolation.known, *self.isolation.readable)
        if not any(plain.is_relative_to(one) or one.is_relative_to(plain) for one in own):
            raise PermissionError(
                errno.EACCES, "it is none of this session's, which is in a sandbox", str(path)
            )

    # --- processes, and the machine itself --------------------------------------------------------

    def processes(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine``."""
        return self.machine.processes(pids)

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine``."""
        return self.machine.words(pid)

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine``."""
        return self.machine.others()

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine``."""
        return self.machine.marked(variable)

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """See ``Machine``."""
        self.machine.signal(processes, number)

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """See ``Machine``."""
        self.machine.signal_group(leader, number)

    def watch(self) -> NewsWatch | None:
        """See ``Machine``."""
        return self.machine.watch()

    def now(self) -> float:
        """See ``Machine``."""
        return self.machine.now()

    @property
    def slack(self) -> float:
        """See ``Machine``."""
        return self.machine.slack

    def free_memory(self) -> int:
        """See ``Machine``."""
        return self.machine.free_memory()

    def free_disk(self, path: Path) -> int:
        """See ``Machine``."""
        return self.machine.free_disk(path)

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """See ``Machine``; to a port of this machine only where that is its network, too."""
        if isinstance(address, int):
            return self.machine.connect(address, timeout)
        with self._at(address) as (at, ours):
            if ours:
                return self.machine.connect(address, timeout)
            number = os.open(at, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return self.machine.connect(Path(f"/proc/self/fd/{number}"), timeout)
            finally:
                os.close(number)


def unconfined(machine: Machine) -> Machine:
    """The machine itself, for what no program of the sandbox had a hand in."""
    return machine.machine if isinstance(machine, ConfinedMachine) else machine


def walled_shell(
    machine: Machine, directory: Path, command: Sequence[str], *, doors: bool = False
) -> str | None:
    """The line for a shell that runs a command about a folder behind the walls it lies behind;
    None where there are none. Without ``doors`` nothing of our environment is handed on.
    """
    if not isinstance(machine, ConfinedMachine) or not machine.is_inside(str(directory)):
        return None
    isolation = machine.isolation
    words = bubblewrap.words(isolation, command, cwd=isolation.workspace, doors=doors)
    env = [f"{name}={value}" for name, value in _cleared(machine.environ).items()]
    return shlex.join(words if doors else ("env", "-i", *env, *words))


def _cleared(env: Mapping[str, str]) -> dict[str, str]:
    """What a command of ours needs. Whatever is planted in the working copy may read it."""
    return {
        name: value
        for name, value in env.items()
        if name in _PASSED or name in _OURS or name.startswith(_OWN)
    }


def _check_plain(number: int, path: Path) -> os.stat_result:
    found = os.fstat(number)
    if not modes.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return found
