"""What a terminal shows, from the bytes a program wrote to it."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Callable
from typing import Final

import pyte

from ennio.plugins.runtime.text import last_lines

# Codes of newer terminals that the emulator would print as text instead of leaving out.
_STRINGS: Final = re.compile(rb"\x1b[P_X^].*?(?:\x1b\\|\x07)", re.DOTALL)
_PRIVATE: Final = re.compile(rb"\x1b\[[<=>][0-9;:]*[ -/]*[@-~]")
_COLONS: Final = re.compile(rb"\x1b\[([0-9;:]*:[0-9;:]*)m")
_ALTERNATE: Final = re.compile(rb"\x1b\[\?(?:1049|1047|47)[hl]")
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[P_X^\]][^\x07\x1b]*\x1b?|[ -/]*)?\Z")
_LONGEST_CODE: Final = 4096
_SLICE: Final = 16 << 10


class _Forgiving:
    """Passes codes on to the emulator and drops those it has no sense for, as a terminal does; by itself it raises."""

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
    """A terminal's screen, kept up to date chunk by chunk; ``scrollback`` lines above it are remembered."""

    def __init__(self, columns: int, rows: int, scrollback: int = 0) -> None:
        # The emulator with a memory is three times slower.
        self._screen = pyte.HistoryScreen(columns, rows, history=scrollback) if scrollback else pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(_Forgiving(self._screen))
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in output; codes and letters may be cut anywhere between two calls. Yields to others in between."""
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

    def told(self, lines: int) -> str:
        """The last lines of the screen and of what scrolled off it."""
        if not isinstance(self._screen, pyte.HistoryScreen):
            return self.shown(lines)
        width = range(self._screen.columns)
        above = ["".join(row[column].data for column in width) for row in self._screen.history.top]
        return last_lines([*above, *self._screen.display], lines)


def _understandable(data: bytes) -> bytes:
    data = _STRINGS.sub(b"", data)
    data = _PRIVATE.sub(b"", data)
    data = _ALTERNATE.sub(b"\x1b[2J\x1b[H", data)
    return _COLONS.sub(b"", data)


def render(data: bytes, columns: int, rows: int, lines: int) -> str:
    """The last lines of a piece of output, as a terminal of that size would have shown them."""
    screen = Screen(columns, rows, scrollback=lines)
    screen.feed(data)
    return screen.told(lines)
