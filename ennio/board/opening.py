"""How the board begins: the first frame, then what asks for rows, then what only keys need."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ennio.board.frame import frame
from ennio.board.screen import BoardEnded, BoardScreen
from ennio.board.view import BoardView

if TYPE_CHECKING:
    from ennio.board.feed import BoardFeed, Connect


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """How the board is shown, and of which project's sessions (None: of all)."""

    colour: bool = True
    ascii_only: bool = False
    mouse: bool = True
    project: str | None = None


def show(
    connect: Connect,
    view: BoardView,
    settings: BoardSettings,
    command: Callable[..., Sequence[str]],
) -> None:
    """Show the board until q or Ctrl-C; the terminal is as before afterwards, whatever ends it.

    ``command`` makes the line of a command of ours out of its words.
    """
    screen = BoardScreen(mouse=settings.mouse)
    feed: BoardFeed | None = None
    ended: int | None = None
    try:
        with screen.taken():
            style, glyphs = screen.first_look(
                colour=settings.colour, ascii_only=settings.ascii_only
            )
            view = replace(view, style=style, glyphs=glyphs)
            screen.paint(frame(view, *screen.size), screen.size)
            from ennio.board.feed import BoardFeed

            feed = BoardFeed(connect, settings.project)
            feed.start()  # it asks while the rest is loaded
            from ennio.board.loop import BoardLoop

            board = BoardLoop(feed, screen, view, command)
            board.begin()
            screen.listen()
            board.view = replace(
                board.view,
                style=screen.style(colour=settings.colour),
                glyphs=screen.glyphs(ascii_only=settings.ascii_only),
            )
            board.run()
    except KeyboardInterrupt:
        pass
    except BoardEnded as signalled:
        ended = signalled.number
    finally:
        if feed is not None:
            feed.stop()
    if ended is not None:  # whoever sent it sees that it was heeded
        signal.signal(ended, signal.SIG_DFL)
        os.kill(os.getpid(), ended)
