"""What a terminal shows, from the bytes a program wrote to it."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Callable
from typing import Final

import pyte

from ennio.model.terminal_view import TerminalShot
from ennio.plugins.runtime.interface import View
from ennio.plugins.runtime.screen_style import styled
from ennio.plugins.runtime.text import last_lines
from ennio.plugins.runtime.text_style import is_gray

# Codes of newer terminals that the emulator would print as text instead of leaving out.
_STRINGS: Final = re.compile(rb"\x1b[P_X^].*?(?:\x1b\\|\x07)", re.DOTALL)
_PRIVATE: Final = re.compile(rb"\x1b\[[<=>][0-9;:]*[ -/]*[@-~]")
_COLONS: Final = re.compile(rb"\x1b\[([0-9;:]*:[0-9;:]*)m")
_ALTERNATE: Final = re.compile(rb"\x1b\[\?(?:1049|1047|47)[hl]")
_DIM: Final = re.compile(rb"\x1b\[((?:[0-9;]*;)?2{1,2}(?:;[0-9;]*)?)m")
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[P_X^\]][^\x07\x1b]*\x1b?|[ -/]*)?\Z")
_LONGEST_CODE: Final = 4096
_SLICE: Final = 16 << 10


class _Forgiving:
    """Passes codes on to the emulator and drops those it has no sense for, as a terminal
    does; by itself it raises.
    """

    def __init__(self, screen: pyte.Screen) -> None:
        self._screen = screen

    def __getattr__(self, name: str) -> Callable[..., None]:
        method = getattr(self._screen, name)

        @functools.wraps(method)
        def obey(*arguments: object, **options: object) -> None:
            with contextlib.suppress(TypeError, LookupError, ValueError, NameError):
                method(*arguments, **options)

        return obey


class Screen:
    """A terminal's screen, kept up to date chunk by chunk; ``scrollback`` lines
    above it are remembered.
    """

    def __init__(self, columns: int, rows: int, scrollback: int = 0) -> None:
        # The emulator with a memory is three times slower.
        self._screen = (
            pyte.HistoryScreen(columns, rows, history=scrollback)
            if scrollback
            else pyte.Screen(columns, rows)
        )
        self._stream = pyte.ByteStream(_Forgiving(self._screen))
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in output; codes and letters may be cut anywhere between two calls.
        Yields to others in between.
        """
        data = self._rest + data
        cut = _UNFINISHED.search(data, max(0, len(data) - _LONGEST_CODE))
        whole = data[: cut.start()] if cut else data
        self._rest = data[len(whole) :]
        whole = _understandable(whole)
        for start in range(0, len(whole), _SLICE):
            self._stream.feed(whole[start : start + _SLICE])
            time.sleep(0)

    def resize(self, columns: int, rows: int) -> None:
        """Take another size."""
        if (columns, rows) != (self._screen.columns, self._screen.lines):
            self._screen.resize(rows, columns)

    def shown(self, lines: int) -> str:
        """The last lines of the screen as text."""
        return last_lines(self._screen.display, lines)

    def view(self) -> View:
        """The whole screen, its cursor, and which of its letters are faint."""
        screen, width = self._screen, range(self._screen.columns)
        lines = tuple(screen.display)
        rows = [[screen.buffer[row][column] for column in width] for row in range(screen.lines)]
        strong = tuple(
            "".join(" " * len(cell.data) if _is_faint(cell) else cell.data for cell in row)
            for row in rows
        )
        cursor = screen.cursor
        return View(
            lines,
            strong,
            min(cursor.x, screen.columns - 1),
            cursor.y,
            screen.columns,
            cursor=not cursor.hidden,
        )

    def told(self, lines: int) -> str:
        """The last lines of the screen and of what scrolled off it."""
        if not isinstance(self._screen, pyte.HistoryScreen):
            return self.shown(lines)
        width = range(self._screen.columns)
        above = ["".join(row[column].data for column in width) for row in self._screen.history.top]
        return last_lines([*above, *self._screen.display], lines)

    def shot(self, history: int) -> TerminalShot:
        """The whole screen with how its letters look, and the last lines of what scrolled off."""
        screen = self._screen
        kept = screen.history.top if isinstance(screen, pyte.HistoryScreen) else ()
        above = list(kept)[-history:] if history else []
        rows = [*above, *(screen.buffer[row] for row in range(screen.lines))]
        cursor = screen.cursor
        return TerminalShot(
            screen.columns,
            screen.lines,
            min(cursor.x, screen.columns - 1),
            cursor.y,
            tuple(styled([row[column] for column in range(screen.columns)]) for row in rows),
            len(above),
            not cursor.hidden,
        )


def _understandable(data: bytes) -> bytes:
    data = _STRINGS.sub(b"", data)
    data = _PRIVATE.sub(b"", data)
    data = _ALTERNATE.sub(b"\x1b[2J\x1b[H", data)
    return _DIM.sub(_dimmed, _COLONS.sub(b"", data))


def _dimmed(code: re.Match[bytes]) -> bytes:
    """A code with what makes letters dim (2, 22) as what makes them blink, for
    the emulator knows no dim.
    """
    given, made = code[1].split(b";"), []
    while given:
        one = given.pop(0)
        made.append(one)
        if one in (b"38", b"48"):  # a colour: its numbers are no codes
            size = 2 if given[:1] == [b"5"] else 4
            made += given[:size]
            del given[:size]
        elif one == b"2":
            made[-1] = b"5"
        elif one == b"22":
            made.append(b"25")
    return b"\x1b[" + b";".join(made) + b"m"


def _is_faint(cell: pyte.screens.Char) -> bool:
    return cell.blink or is_gray(cell.fg)


def render(data: bytes, columns: int, rows: int, lines: int) -> str:
    """The last lines of a piece of output, as a terminal of that size would have shown them."""
    screen = Screen(columns, rows, scrollback=lines)
    screen.feed(data)
    return screen.told(lines)
