"""The terminal of the board: taken, painted line by line, given back on any end."""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from ennio.board.glyphs import ASCII, UNICODE, Glyphs
from ennio.board.guard import TerminalGuard
from ennio.board.painting import painted
from ennio.board.printing import screen
from ennio.board.stroke import Stroke
from ennio.board.style import Style

if TYPE_CHECKING:
    from ennio.board.listening_terminal import ListeningTerminal

# blessed says none of these under NO_COLOR, which asks for no colours, not for no cursor
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[?25h\x1b[?1049l"
_HIDDEN, _SEEN = "\x1b[?25l", "\x1b[?25h"
_PATIENCE = 0.15
"""Seconds a terminal is given to say what it can do."""
_TRUE_COLOURS = 1 << 24
_WITH_ALT = "KEY_ALT_"


class BoardEnded(BaseException):
    """A signal asks the board to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class BoardScreen:
    """Owns the terminal while the board is shown.

    blessed, which reads keys and asks the terminal what it can do, is loaded once the first frame
    stands there: it takes longer than that.
    """

    def __init__(self, *, mouse: bool = True) -> None:
        self._mouse = mouse
        self._terminal: ListeningTerminal | None = None
        self._quiet: list[Any] | None = None
        self._held: ExitStack | None = None
        self._last: list[str] | None = None
        self._size = (0, 0)
        self._cursor: int | None = None
        self._stops = False

    @property
    def terminal(self) -> ListeningTerminal:
        """blessed's, from now on."""
        if self._terminal is None:
            from ennio.board.listening_terminal import ListeningTerminal

            self._terminal = ListeningTerminal()
        return self._terminal

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        # asked of the system each time: what blessed remembers may be of before a resize
        try:
            found = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return 80, 24
        return found.columns or 80, found.lines or 24

    # --- taken and given back ---------------------------------------------------------------------

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The terminal is the board's until the end of the block, however that comes."""
        guard = TerminalGuard(sys.stdout.fileno(), _LEAVE)
        before = {number: signal.getsignal(number) for number in _HANDLED}
        try:
            signal.signal(signal.SIGTERM, _end)
            signal.signal(signal.SIGHUP, _end)
            signal.signal(signal.SIGTSTP, self._stopped)
            signal.signal(signal.SIGWINCH, _nothing)
            self._quiet = _unechoed(sys.stdin.fileno())
            screen(_ENTER)
            yield
        finally:
            self._leave()
            self._echo()
            for number, handler in before.items():
                signal.signal(number, handler)
            guard.dismiss()

    def listen(self) -> None:
        """From now on keys are read; the terminal must be taken, and keeps what it shows."""
        self._echo()  # for blessed gives it back as it found it
        self._hear()

    def _enter(self) -> None:
        screen(_ENTER)
        self.forget()
        self._hear()

    def _hear(self) -> None:
        held = ExitStack()
        held.enter_context(self.terminal.cbreak())
        self.terminal.listen(mouse=self._mouse)
        held.enter_context(self.terminal.notify_on_resize(timeout=_PATIENCE))
        self._held = held

    def _echo(self) -> None:
        """What is typed is shown again as it was before the terminal was taken."""
        quiet, self._quiet = self._quiet, None
        if quiet is not None:
            with suppress(termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, quiet)

    def _leave(self) -> None:
        held, self._held = self._held, None
        try:
            if held is not None:
                held.close()
        finally:
            with suppress(OSError):  # the terminal itself may be gone
                screen(_LEAVE)

    def _stopped(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: heeded between two frames, for nothing can be written in the middle of one."""
        self._stops = True

    def heed(self) -> None:
        """Where Ctrl-Z was pressed the terminal is given back, and taken again when the person
        comes back.
        """
        if not self._stops:
            return
        self._stops = False
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # here again once somebody says `fg`
        signal.signal(signal.SIGTSTP, self._stopped)
        self._enter()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal is somebody else's within the block: an attached agent, an editor."""
        self._leave()
        before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTSTP, self._stopped)
            self._enter()

    # --- keys and pictures ------------------------------------------------------------------------

    def strokes(self) -> Iterator[Stroke]:
        """Every key that was pressed and not read yet."""
        while key := self.terminal.inkey(timeout=0, esc_delay=0.05):
            name = str(key.name or key)
            if name.startswith(_WITH_ALT) and len(name) == len(_WITH_ALT) + 1:
                # Escape and a key so soon behind it that they came as one
                yield Stroke("KEY_ESCAPE")
                name = str(key)[-1]
            text = str(getattr(key, "text", "") or "") if name == "BRACKETED_PASTE" else ""
            x, y = key.mouse_xy if "MOUSE" in name else (0, 0)
            yield Stroke(name, text, x, y)

    def forget(self) -> None:
        """Nothing is known of what stands on the terminal: the next frame is drawn whole."""
        self._last = None

    def paint(self, lines: Sequence[str], size: tuple[int, int], cursor: int | None = None) -> None:
        """Write the lines that are not as they were; the cursor is seen in the line before the
        last, where something is typed.
        """
        changed = painted(self._last if size == self._size else None, lines, size[0])
        if not changed and cursor == self._cursor:
            return
        self._last, self._size, self._cursor = list(lines), size, cursor
        hidden = cursor is None
        place = _HIDDEN if hidden else f"\x1b[{len(lines) - 1};{(cursor or 0) + 1}H{_SEEN}"
        if self._terminal is None:
            screen(changed + place)
            return
        with self._terminal.synchronized_output(timeout=_PATIENCE):
            screen(changed + place)

    # --- what it can do ---------------------------------------------------------------------------

    def style(self, *, colour: bool) -> Style:
        """The colours that are measured for its background, where it has so many; else its own."""
        if not colour:
            return Style(False)
        if self.terminal.number_of_colors < _TRUE_COLOURS:
            return Style(True)
        scheme = self.terminal.get_color_scheme(timeout=_PATIENCE)
        return Style(True, scheme or "basic")

    def first_look(self, *, colour: bool, ascii_only: bool) -> tuple[Style, Glyphs]:
        """How it is drawn before the terminal was asked for anything."""
        plain = ascii_only or os.environ.get("TERM") == "linux"
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        return Style(colour), ASCII if plain or not encoding.startswith("utf") else UNICODE

    def glyphs(self, *, ascii_only: bool) -> Glyphs:
        """The marks that it shows one cell wide."""
        if self.first_look(colour=False, ascii_only=ascii_only)[1] is ASCII:
            return ASCII
        wide = self.terminal.detect_ambiguous_width(timeout=_PATIENCE) == 2
        return ASCII if wide else UNICODE


def _unechoed(keys: int) -> list[Any] | None:
    """What is typed before anybody reads it does not appear, and waits. How the terminal was; None
    for what is none.
    """
    try:
        before = termios.tcgetattr(keys)
        tty.setcbreak(keys, termios.TCSANOW)
    except termios.error:
        return None
    return before


_HANDLED = (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGWINCH)


def _end(number: int, _frame: FrameType | None) -> None:
    raise BoardEnded(number)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A resize only has to wake the loop."""
