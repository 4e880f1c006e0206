"""The player's terminal: raw, blocking in select while there is nothing to do.
The standard library only.
"""

from __future__ import annotations

import os
import select
import time

from ennio.model.plural import number_of
from ennio.plugins.agent.scripted.keyboard import INTERRUPT, LEAVE, Keyboard

try:
    import termios
except ImportError:  # no terminals on this platform
    termios = None  # type: ignore[assignment,unused-ignore]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ESCAPE_DELAY = 0.05  # a sequence arrives at once; what comes alone for so long is the key itself
PROMPT = "> "


class Interrupted(Exception):
    """Somebody pressed Escape or Ctrl-C during a turn."""


class PersonLeft(Exception):
    """The input has ended, or somebody pressed Ctrl-D."""


class ScriptedTerminal:
    """Reads keys and shows text; ``on_text`` is called with every text that is submitted."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._keyboard = Keyboard()
        self._before: list[Any] | None = None
        self.busy = False

    def open(self) -> None:
        """Take the terminal: no echo, no signals from keys, pastes marked as such."""
        if termios is not None and os.isatty(0):
            self._before = termios.tcgetattr(0)
            mode = termios.tcgetattr(0)
            mode[0] &= ~(
                termios.ICRNL | termios.INLCR | termios.IXON | termios.BRKINT | termios.ISTRIP
            )
            mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            # what was typed already is kept
            termios.tcsetattr(0, termios.TCSANOW, mode)
            self.write("\x1b[?2004h")

    def close(self) -> None:
        """Give it back as it was; fine when it is gone."""
        if self._before is not None:
            try:
                self.write("\x1b[?2004l")
                termios.tcsetattr(0, termios.TCSANOW, self._before)
            except (OSError, termios.error, PersonLeft):
                pass

    def write(self, text: str) -> None:
        """Put text on the screen."""
        self.raw(text.encode(errors="replace"))

    def raw(self, data: bytes) -> None:
        """Put bytes on the screen. Raises PersonLeft when it is gone."""
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError as error:
            raise PersonLeft from error

    def title(self, text: str) -> None:
        """Name the terminal."""
        self.write(f"\x1b]2;{text}\x07")

    def line(self, text: str) -> None:
        """Show one line above the place to type."""
        self.write(f"\r\x1b[K{text}\n")

    def draw(self) -> None:
        """Show the place to type with what stands in it."""
        self.write(f"\r\x1b[K{PROMPT}{folded(self._keyboard.line.decode(errors='replace'))}")

    def pause(self, seconds: float | None, also: int | None = None) -> None:
        """Wait so long (None: for ever), or until ``also`` can be read or a text
        was submitted while idle.

        Raises Interrupted during a turn, PersonLeft when nothing more will come.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            wait = (
                _ESCAPE_DELAY
                if self._keyboard.is_waiting and (left is None or left > _ESCAPE_DELAY)
                else left
            )
            ready, _, _ = select.select([0] if also is None else [0, also], [], [], wait)
            submitted = (
                self._read()
                if 0 in ready
                else self._settle()
                if self._keyboard.is_waiting
                else False
            )
            if (
                also in ready
                or (submitted and seconds is None)
                or (left is not None and left <= 0 and not ready)
            ):
                return

    def _read(self) -> bool:
        try:
            data = os.read(0, 65536)
        except OSError as error:  # the terminal itself is gone
            raise PersonLeft from error
        if not data:
            raise PersonLeft
        return self._act(self._keyboard.feed(data))

    def _settle(self) -> bool:
        return self._act(self._keyboard.settle())

    def _act(self, done: list[tuple[str, str]]) -> bool:
        texts = [text for what, text in done if what == "text"]
        for text in texts:
            self._on_text(text)
        if not self.busy:
            self.draw()
        if not self.busy and any(what == LEAVE for what, _ in done):
            raise PersonLeft
        if self.busy and any(what == INTERRUPT for what, _ in done):
            raise Interrupted
        return bool(texts)


def folded(text: str) -> str:
    """A text as it stands in the place to type: a long or many-lined one by its size."""
    lines = text.count("\n") + 1
    short = lines == 1 and len(text) <= 60
    return text if short else f"[{number_of(lines, 'line')}, {len(text)} characters]"
