"""A machine, as what plugins of agents, runtimes and workspaces stand on: its files, its
programs and its processes.

Everything goes there and comes back as data, many at once, so that a machine at the end of a line
is asked once where one at hand takes a call for each. What the system over there refuses is an
``OSError`` of the same number wherever it was refused; ``Unreachable`` says that the machine itself
could not be asked. Names are text; bytes in them that are no UTF-8 stand there as surrogates, as
``os.fsdecode`` writes them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions

if TYPE_CHECKING:
    from ennio.machine.begun_command import BegunCommand
    from ennio.machine.news_watch import NewsWatch


class Overdue(StrEnum):
    """Why a command was ended before it had ended by itself."""

    TIME = "time"  # it took longer than it may
    SILENCE = "silence"  # nothing more was heard of it


@dataclass(frozen=True, slots=True)
class Command:
    """A program to be run to its end. ``env`` is all of its environment (None:
    that of Ennio over there); no shell sees any of the words.

    ``silence``: it is ended when it puts nothing out on standard error for so many seconds.
    ``most``: no more than so many bytes of its output are wanted, and it is ended once they
    are there. ``leaves_server``: what it leaves running keeps its outputs open, and is not
    waited for. A command that is ended is asked to, and made to after ``grace`` seconds, with
    all that stayed in its group. ``place`` is the working copy that it is about, where it is
    about one. ``only_reads``: it changes nothing over there.
    """

    argv: tuple[str, ...]
    cwd: str = "/"
    env: Mapping[str, str] | None = None
    stdin: bytes = b""
    timeout: float = 30.0
    silence: float | None = None
    most: int | None = None
    leaves_server: bool = False
    grace: float = 2.0
    place: str = ""
    only_reads: bool = False


@dataclass(frozen=True, slots=True)
class CompletedCommand:
    """How a command ended; a negative code is a signal. ``cut``: it had
    more to say than was wanted.
    """

    code: int
    stdout: bytes
    stderr: bytes
    overdue: Overdue | None = None
    cut: bool = False


class FileKind(StrEnum):
    """What lies at a path."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileState:
    """What a look at a file says without reading it.

    ``identity`` tells it from the next of its name; ``size`` in bytes; ``modified``
    in nanoseconds since 1970.
    """

    kind: FileKind
    identity: tuple[int, int]
    size: int
    modified: int
    mode: int
    owner: int


@dataclass(frozen=True, slots=True)
class FileSpan:
    """What is wanted of a file: from ``offset`` on, or so many bytes before its end where it is
    negative; at most ``most`` bytes.

    ``follow``: through a link, where the path is one.
    """

    path: Path
    offset: int = 0
    most: int = 1 << 20
    follow: bool = True


@dataclass(frozen=True, slots=True)
class FilePart:
    """What was read, where it begins, and the file as it was when it was opened."""

    data: bytes
    offset: int
    state: FileState


class ProcessId(NamedTuple):
    """A process by its number and its birth: numbers come again. The birth is
    only good for comparing.
    """

    pid: int
    born: str


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """A process as the system lists it. One that ``ended`` waits for its
    parent to take note of that.
    """

    id: ProcessId
    parent: int
    group: int
    session: int
    name: str
    ended: bool = False


class Machine(Protocol):
    """See the module. Blocks; safe under threads; keeps nothing of what it was asked."""

    def __hash__(self) -> int:
        """What is remembered of a machine is remembered by it."""
        ...

    @property
    def name(self) -> str:
        """What tells it from others; empty for the machine that Ennio runs on."""
        ...

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that Ennio has over there."""
        ...

    @property
    def home(self) -> Path:
        """The home of the person whose programs run there."""
        ...

    @property
    def user(self) -> int:
        """The number of that person."""
        ...

    @property
    def python(self) -> str:
        """The Python over there that runs the small programs of ours that stand beside agents."""
        ...

    def which(self, program: str, path: str | None = None) -> str | None:
        """Where a program is that can be run, on this search path or its own;
        None when there is none.
        """
        ...

    # --- programs ---------------------------------------------------------------------------------

    def run(self, command: Command) -> CompletedCommand:
        """Run a command to its end, or until it is overdue. Raises OSError
        when it cannot be begun.
        """
        ...

    def run_all(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """Run them side by side; the answers come in their order. Raises OSError when one cannot
        be begun; then none runs.
        """
        ...

    def run_in_turn(
        self, commands: Sequence[Command], then: Questions = NOTHING_ASKED
    ) -> tuple[CompletedCommand, ...]:
        """Run one after the other until one fails; the answers of those that were run. Raises
        OSError when one of them cannot be begun.

        ``then`` is asked after the last, and told as long as a ``foreseen`` around this lasts.
        """
        ...

    def begin(self, command: Command, output: Path) -> BegunCommand:
        """Begin a command, and add what it prints to a file, made if need be for its owner alone.
        None of its limits is kept: who waits for it keeps them. Raises OSError.
        """
        ...

    # --- files ------------------------------------------------------------------------------------

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """Read these of regular files, each or the error that stands for it; a pipe is
        one, and never waited for.
        """
        ...

    def stat(
        self, paths: Sequence[Path], *, follow: bool = True
    ) -> tuple[FileState | OSError, ...]:
        """Look at these, each or the error that stands for it; links themselves
        unless they are followed.
        """
        ...

    def foreseen(
        self, questions: Questions, look: NextLook | None = None
    ) -> AbstractContextManager[None]:
        """While the block lasts, this thread may be told what it was told at the beginning, where
        all of this was asked at once, but for what it has changed over there itself since. What a
        look was told a few seconds ago is not asked again. Raises Unreachable.
        """
        ...

    def looking_ahead(self, look: NextLook) -> AbstractContextManager[None]:
        """While the block lasts, what the look asks may go with what this thread does over there,
        and is told to it: after the end of a command that is begun and soon over, or with changes
        that were gathered. What is changed after that is not what it was told.
        """
        ...

    def list(self, folder: Path) -> tuple[str, ...]:
        """The names in a folder, in no order. Raises OSError."""
        ...

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """These by their real paths, whatever links lead there and whether or not they exist."""
        ...

    def gathered(self) -> AbstractContextManager[None]:
        """While the block lasts, what this thread writes, appends, renames, removes, links and
        makes folders of may wait for what it asks next, or for the end of the block: it is done in
        its order before that, and nothing is done after what is refused. The OSError of that is
        the block's.
        """
        ...

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
        """Put the content in place of what is there, whole or not at all. Raises OSError.

        ``keep_mode``: a file that is there keeps its mode. ``durable``: it has reached
        the disk then. ``new``: where something is there already nothing is written,
        and FileExistsError raised.
        """
        ...

    def append(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """Add to a file, made if need be. Raises OSError."""
        ...

    def make_folder(self, folder: Path, *, private: bool = False, new: bool = False) -> None:
        """Make a folder and those above it; fine if it is there. With ``new`` only the folder, and
        one that is there raises FileExistsError. A private one only its owner can
        enter. Raises OSError, Refused.
        """
        ...

    def temporary_folder(self) -> Path:
        """A new folder for what is soon over, that only its owner can enter; whoever asks removes
        it. Raises OSError.
        """
        ...

    def link_below(self, folder: Path, relative: Path, to: Path) -> None:
        """Place a link at a path below a folder, and make the folders on the way; none of them may
        be a link itself, also one that somebody puts there meanwhile. Raises MisplacedLink where
        one is, or something else is there already, and OSError.
        """
        ...

    def copy(self, path: Path, to: Path) -> None:
        """Copy a file with its mode and times. Raises OSError."""
        ...

    def rename(self, path: Path, to: Path) -> None:
        """Move it within a disk, in place of a file or an empty folder. Raises OSError."""
        ...

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove files and links, and folders with nothing in them; gone already
        is fine. Raises OSError.
        """
        ...

    def remove_tree(self, folder: Path) -> None:
        """Remove a folder with all that can be removed in it."""
        ...

    def is_locked(self, path: Path) -> bool:
        """Whether somebody over there holds the lock of a file; nobody does where there
        is none. Raises OSError.
        """
        ...

    # --- processes --------------------------------------------------------------------------------

    def processes(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """Those of these that there are."""
        ...

    def words(self, pid: int) -> tuple[str, ...]:
        """The words that the process of this number was started with; none when there is none,
        or they may not be known.
        """
        ...

    def others(self) -> tuple[ProcessEntry, ...]:
        """All living processes but the one that asks and those above it."""
        ...

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """The others in whose environment this variable was at their start, with its value, as
        far as that may be known.
        """
        ...

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """Send a signal to these, as far as they still are who they were and may be sent one."""
        ...

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """Send one to all that stayed in the group of a process, gone or not: its number is nobody
        else's while it has members.
        """
        ...

    # --- news -------------------------------------------------------------------------------------

    def watch(self) -> NewsWatch | None:
        """Something new that waits for what happens over there; None where that
        cannot be waited for from here.
        """
        ...

    # --- the machine itself -----------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since 1970 by the clock that stamps its files; asks nobody."""
        ...

    @property
    def slack(self) -> float:
        """Seconds by which that clock may be behind ``now``; nothing at hand."""
        ...

    def free_memory(self) -> int:
        """Bytes that a new program could have."""
        ...

    def free_disk(self, path: Path) -> int:
        """Bytes that could be written where this is, or will be. Raises OSError."""
        ...

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """A connection to a socket in its file system, or to a port of its
        loopback. Raises OSError.
        """
        ...
