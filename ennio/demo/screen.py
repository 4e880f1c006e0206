"""How the demo is shown: live at a terminal, else a line per event."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ennio.board.printing import out, screen
from ennio.board.style import Style, shown
from ennio.demo import wording
from ennio.demo.picture import FrameContent, StoryLine, picture

if TYPE_CHECKING:
    from ennio.demo.director import Director

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_WIDTH = 96
_BEFORE = 18
"""Columns of a line that its time and its speaker take."""
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class DemoScreen:
    """Shows what happens. ``quiet``: nothing at all."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._style = Style(self._live and not os.environ.get("NO_COLOR"))
        self._on_stage = False
        self._begun = time.monotonic()
        self._lines: deque[StoryLine] = deque(maxlen=200)
        self._sessions: Sequence[Mapping[str, Any]] = ()

    def __enter__(self) -> Self:
        if not self._quiet:
            out("\n".join([*textwrap.wrap(wording.INTRODUCTION, _WIDTH), ""]))
        return self

    def begin(self) -> None:
        """The play is about to begin: what was said before it has been read."""
        if self._live:
            screen(_ENTER)
            self._on_stage = True

    def __exit__(self, *_: object) -> None:
        if self._on_stage:
            # the story stays readable above the prompt when the screen is given back
            width = os.get_terminal_size(sys.stdout.fileno()).columns
            screen(
                _LEAVE
                + "".join(f"{shown(line.shown(width, self._style))}\n" for line in self._lines)
            )

    def say(self, who: str, words: str) -> None:
        """Something the director does; the whole of it is read, also in a narrow terminal."""
        for line in self._wrapped(words):
            self._add(who, line)

    def _wrapped(self, words: str) -> list[str]:
        if not self._live:
            return [words]
        room = os.get_terminal_size(sys.stdout.fileno()).columns - _BEFORE
        return textwrap.wrap(words, max(room, 20), break_on_hyphens=False, break_long_words=False)

    def event(self, event: Mapping[str, Any], director: Director) -> None:
        """Something that happened."""
        words = wording.words(event)
        if words is None:
            return
        part = None if wording.of_project(event) else director.parts.get(event["session_id"])
        who = part.role if part else event["project_id"]
        self._add(who, words, event["event_type"])

    def show(self, sessions: Sequence[Mapping[str, Any]]) -> None:
        """The sessions as they stand; at a terminal only."""
        self._sessions = sessions
        self._paint()

    def wait(self, trouble: str) -> None:
        """Nobody can be asked just now; the last that was seen stays, and
        so does the clock's pace.
        """
        self._paint(trouble)

    def _add(self, who: str, words: str, kind: str = "") -> None:
        line = StoryLine(time.monotonic() - self._begun, who, words, kind)
        self._lines.append(line)
        if self._live:
            self._paint()
        elif not self._quiet:
            out(line.plain())

    def _paint(self, trouble: str = "") -> None:
        if not self._on_stage:
            return
        # the size is asked for anew each time: that is all a resize needs
        width, height = os.get_terminal_size(sys.stdout.fileno())
        scene = FrameContent(
            time.monotonic() - self._begun, self._sessions, tuple(self._lines), trouble, self._style
        )
        # a column is left free: clearing behind a full line would eat its last character
        lines = picture(scene, width - 1, height)
        # one write for a whole frame, so that no half of one is ever seen
        screen(
            _HOME + "\r\n".join(f"{shown(line)}{_REST_OF_LINE}" for line in lines) + _REST_OF_SCREEN
        )
