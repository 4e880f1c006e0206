"""The board's loop: read, draw, wait for a key or the next second. The
picture itself is in ``frame``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import blessed

from ennio.board.frame import BoardView, frame, scroll
from ennio.board.printing import screen
from ennio.board.style import shown

PERIOD = 1.0
Source = Callable[[BoardView], BoardView]
"""Makes a fresh view of the last one; trouble is told in the view, not raised."""

# blessed says none of these under NO_COLOR, which asks for no colours, not for no cursor
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE = "\x1b[H", "\x1b[K"


def show(source: Source, view: BoardView) -> None:
    """Paint the board until q or Ctrl-C; the screen is as before afterwards."""
    terminal = blessed.Terminal()
    with _screen(), terminal.cbreak():
        while True:
            view = source(view)
            key = _painted(terminal, view)
            if key in ("q", "Q"):
                return
            view = replace(
                view,
                top=scroll(
                    view.top, _steps(key, terminal.height), len(view.sessions), terminal.height - 4
                ),
            )


@contextmanager
def _screen() -> Iterator[None]:
    screen(_ENTER)
    try:
        yield
    finally:
        screen(_LEAVE)


def _painted(terminal: blessed.Terminal, view: BoardView) -> str:
    # the size is asked for anew each time: that is all a resize needs
    lines = frame(view, terminal.width, terminal.height)
    screen(_HOME + f"{_REST_OF_LINE}\r\n".join(map(shown, lines)) + _REST_OF_LINE)
    key = terminal.inkey(timeout=PERIOD)
    return str(key.name or key)


def _steps(key: str, height: int) -> int:
    pages = max(1, height - 5)
    return {
        "KEY_DOWN": 1,
        "j": 1,
        "KEY_UP": -1,
        "k": -1,
        "KEY_PGDOWN": pages,
        "KEY_PGUP": -pages,
    }.get(key, 0)
