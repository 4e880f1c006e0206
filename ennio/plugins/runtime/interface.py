"""The runtime slot: where an agent's process lives, outliving the supervisor.

A runtime is shared by all sessions that name it. Everything it makes is named by the session, so
that a second ``start`` finds the first, and one ``survey`` sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from ennio.machine.questions import Questions
from ennio.model.failpoints import failpoint
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalShot
from ennio.plugins.runtime.text import last_lines


class Key(StrEnum):
    """The keys Ennio presses by itself."""

    ENTER = "enter"
    ESCAPE = "escape"
    INTERRUPT = "interrupt"  # Ctrl-C
    ERASE = "erase"  # Backspace: the letter left of the cursor
    CLEAR = "clear"  # Ctrl-U: empty the input line left of the cursor
    KILL = "kill"  # Ctrl-K: empty the input line right of the cursor
    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """Everything needed to start one agent.

    ``name`` is the session id. ``env`` is the whole environment. ``directory`` is the session's own
    0700 folder: argv and environment go there in a 0600 file, never on a command line.
    ``number`` counts the launches of a session from 1.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    directory: Path
    number: int = 1
    columns: int = 200
    rows: int = 50


@dataclass(frozen=True, slots=True)
class Pane:
    """One terminal as a survey sees it. ``dead`` with neither code nor signal: it vanished.

    ``output`` is a file, or a device, that is written to whenever the program puts something out;
    empty where there is none.
    """

    name: str
    number: int
    pid: int | None
    dead: bool
    exit_code: int | None = None
    signal: int | None = None
    output_at: datetime | None = None
    title: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A whole screen as somebody who types has to know it.

    ``lines`` are all its rows, ``strong`` the same rows with blanks for letters drawn faint (dim
    or grey: hints). ``column`` and ``row`` say in cells where the cursor stands, ``cursor``
    whether the program shows it. ``scrolled`` is True while a person reads back in it, so that
    keys would not reach the program.
    """

    lines: tuple[str, ...]
    strong: tuple[str, ...]
    column: int
    row: int
    columns: int
    cursor: bool = True
    scrolled: bool = False

    @property
    def text(self) -> str:
        """What ``Runtime.screens`` says of it."""
        return last_lines(self.lines, len(self.lines))


class Runtime(Protocol):
    """Starts agents in terminals, sees them, types to them, ends them.

    Every method may raise ``Unreachable`` (nothing is known then). A name that is not there raises
    ``NotFound`` where stated. All calls are safe to repeat.
    """

    name: str

    @failpoint("runtime.start", files=True)
    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Start the agent, or find it when this very launch (name and number) runs or ran already.

        A dead terminal of an earlier number is replaced. A *living* one of an earlier number raises
        ``Conflict``: nothing alive is ever replaced. ``handle.data`` holds ``pid``, ``started``
        (kernel start time of that pid, in clock ticks) and ``number`` as text.
        """
        ...

    @failpoint("runtime.survey")
    def survey(self) -> Mapping[str, Pane]:
        """Every terminal of this runtime by name, in one request whatever their number.

        An empty mapping is a *proof* that nothing is there; doubt raises ``Unreachable``.
        """
        ...

    @failpoint("runtime.screens")
    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """The last lines each of these terminals shows (escape codes removed), in one request.

        Names that are gone are left out.
        """
        ...

    @failpoint("runtime.views")
    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """The same screens whole, with their cursors and the looks of their
        letters, in one request.

        Names that are gone are left out.
        """
        ...

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """The last lines of the terminal including what scrolled away. Raises NotFound."""
        ...

    @failpoint("runtime.paste")
    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """Put text into the terminal as one bracketed paste, unchanged and
        without Enter. Raises NotFound.
        """
        ...

    @failpoint("runtime.press")
    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """Press one key. Raises NotFound."""
        ...

    @failpoint("runtime.stop", files=True)
    def stop(self, handle: RuntimeHandle) -> None:
        """End the agent with its whole process group and everything it left
        behind; fine if it is gone.
        """
        ...

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """The command that connects a person's terminal to the agent's."""
        ...

    def version(self) -> str | None:
        """The version of what it runs on, or None when that is not installed."""
        ...


class TerminalStream(Protocol):
    """What one terminal puts out, as it comes. One reads at a time; it is never read ahead."""

    def read(self, timeout: float) -> bytes | None:
        """What came next; nothing when the time (seconds) is up, None once it is over. Raises
        Unreachable.
        """
        ...

    @property
    def missed(self) -> int:
        """Bytes lost before what was read last: whoever shows it begins anew. Less than none: so
        they do, and nothing was lost.
        """
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Its columns and rows, as last heard of."""
        ...

    def picture(self) -> bytes | None:
        """What brings an empty terminal to what is shown now, with what scrolled away; what is read
        next goes on from there. None where what was read of late does that. Raises NotFound.
        """
        ...

    @failpoint("runtime.close", because="a look that is ended; the terminal goes on without it")
    def close(self) -> None:
        """Look no more; the terminal goes on."""
        ...


@runtime_checkable
class DemandingRuntime(Protocol):
    """What some runtimes offer beside: what they need of the machine can be asked for before
    there is anything to start.
    """

    @failpoint(
        "runtime.insist", because="only looks; who cannot be asked keeps nothing from a spawn"
    )
    def insist(self) -> None:
        """Raise Refused, with the way out, where nothing could be started now; makes nothing."""
        ...


@runtime_checkable
class ForeseeableRuntime(Protocol):
    """What some runtimes offer beside: a look at a terminal can be asked ahead."""

    def foreseen(self, name: str) -> Questions:
        """What the next ``views`` of this terminal alone asks of the machine."""
        ...

    def foreseen_survey(self) -> Questions:
        """What the next ``survey`` asks of the machine."""
        ...


@runtime_checkable
class WatchableRuntime(Protocol):
    """What some runtimes offer beside: their terminals can be seen as they change, and typed
    to key by key.
    """

    def open_stream(self, handle: RuntimeHandle) -> TerminalStream:
        """Begin to look at a terminal, without a size of one's own. Raises NotFound."""
        ...

    def shot(self, handle: RuntimeHandle, history: int) -> TerminalShot:
        """The screen as it is, and so many lines above it. Raises NotFound."""
        ...

    @failpoint("runtime.type", because="what a person types; nothing is written, none repeats it")
    def type(self, handle: RuntimeHandle, data: bytes, *, paste: bool) -> None:
        """Put these bytes into the terminal as its keyboard would, or as one paste.
        Raises NotFound.
        """
        ...

    @failpoint("runtime.resize", because="a person's order; the next one says it again")
    def resize(self, handle: RuntimeHandle, columns: int, rows: int) -> None:
        """Give the terminal another size. Raises NotFound."""
        ...
