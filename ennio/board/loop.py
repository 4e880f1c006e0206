"""The board's loop: take the news, paint, wait for a key, for news, or for the next minute. The
picture itself is in ``frame``, what keys do in ``keyboard``, how it begins in ``opening``.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ennio.board.call_to_act import entry_line
from ennio.board.feed import BoardFeed
from ennio.board.frame import frame
from ennio.board.moving import resorted, settled, steady
from ennio.board.news import Happened, News, Rows
from ennio.board.orders import Act, LookInto, Order, Quit, Repaint
from ennio.board.screen import BoardScreen
from ennio.board.stroke import Stroke
from ennio.board.view import BoardView, Peek

_RESORT_AFTER = 60.0
"""Seconds without a key after which rows may move."""
_FRAMES_APART = 0.05
"""Seconds between two frames that no key asked for."""
_FIRST_ROWS = 0.5
"""Seconds that the first rows are waited for before keys are read."""
_LOOK_AGAIN = 0.5
"""So seldom the pane is asked for anew while events come in."""


class BoardLoop:
    """Holds the view, and makes the next one of each key and each piece of news."""

    def __init__(
        self,
        feed: BoardFeed,
        screen: BoardScreen,
        view: BoardView,
        command: Callable[..., Sequence[str]],
    ) -> None:
        self.feed, self.screen, self.view, self._command = feed, screen, view, command
        self._touched = time.monotonic()
        self._painted = 0.0
        self._looked = 0.0
        self._look_due = False
        self._over = False

    def begin(self) -> None:
        """The first rows, before the terminal is asked what it can do: one that does not answer
        takes its time. What only keys need is loaded when they stand there: it takes longer still.
        """
        ready, _ = self.feed.wakes
        until = time.monotonic() + _FIRST_ROWS
        while not self.view.loaded and (left := until - time.monotonic()) > 0:
            if select.select([ready], [], [], left)[0]:
                os.read(ready, 65536)
            self.take_all()
        self._paint()
        from ennio.board.errands import Errands
        from ennio.board.keyboard import BoardKeyboard
        from ennio.board.typing_line import TypedLine

        self.keyboard = BoardKeyboard(TypedLine())
        self._errands = Errands(self, self._command)
        self.take_all()
        self._paint()

    def run(self) -> None:
        """Until somebody quits."""
        ready, signal_ = self.feed.wakes
        signal.set_wakeup_fd(signal_, warn_on_full_buffer=False)
        try:
            while not self._over:
                self.screen.heed()
                self._paint()
                self._wait(ready)
                self._later()
                self.take_all()
                for stroke in self.screen.strokes():
                    self._pressed(stroke)
        finally:
            signal.set_wakeup_fd(-1)

    # --- time -------------------------------------------------------------------------------------

    def _wait(self, ready: int) -> None:
        keys = sys.stdin.fileno()
        due = (self.view.next_change() - datetime.now(UTC)).total_seconds()
        if self._look_due:
            due = min(due, self._looked + _LOOK_AGAIN - time.monotonic())
        found, _, _ = select.select([keys, ready], [], [], max(0.0, due) + 0.001)
        if keys in found:
            return
        if ready in found:  # news come in crowds: one frame for all of them
            pause = self._painted + _FRAMES_APART - time.monotonic()
            if pause > 0:
                select.select([keys], [], [], pause)
            os.read(ready, 65536)

    def _later(self) -> None:
        now = datetime.now(UTC)
        before = self.view
        self.view = steady(before, before.with_time(now), self.screen.size)
        if time.monotonic() - self._touched > _RESORT_AFTER and not self.view.entry:
            self._touched = time.monotonic()
            self.view = resorted(self.view, self.screen.size)
        if self._look_due and time.monotonic() - self._looked >= _LOOK_AGAIN:
            self.look()

    # --- news -------------------------------------------------------------------------------------

    def take_all(self) -> None:
        """Take all news there are into the view."""
        for news in self.feed.news():
            self._take(news)

    def _take(self, news: News) -> None:
        before = self.view
        view = news.taken(before)
        if isinstance(news, Rows) and view is not before:
            view = steady(before, view, self.screen.size)
        self.view = view
        if isinstance(news, Happened) and self._concerns(news):
            self._look_due = True

    def _concerns(self, news: Happened) -> bool:
        return bool(self.view.tab) and any(
            event.get("session_id") == self.view.peek.id for event in news.events
        )

    # --- keys -------------------------------------------------------------------------------------

    def _pressed(self, stroke: Stroke) -> None:
        self._touched = time.monotonic()
        self.view, orders = self.keyboard.press(self.view, stroke, self.screen.size)
        for order in orders:
            self._carry_out(order)

    def _carry_out(self, order: Order) -> None:
        if isinstance(order, Quit):
            self._over = True
        elif isinstance(order, Repaint):
            self.screen.forget()
        elif isinstance(order, LookInto):
            self.look()
        elif isinstance(order, Act):
            self.feed.act(order)
        else:
            self._errands.run(order)

    def look(self) -> None:
        """Ask for what the pane shows of the session under the cursor."""
        row = self.view.row
        self._look_due, self._looked = False, time.monotonic()
        if row is None:
            return
        if self.view.peek.id != row.id:
            self.view = replace(self.view, peek=Peek(row.id))
        self.feed.look(row.id, row.project, row.pr, self.view.tab or "why", self.view.file)

    # --- pictures ---------------------------------------------------------------------------------

    def _paint(self) -> None:
        size = self.screen.size
        self.view = settled(self.view, size) if self.view.body.items else self.view
        cursor = entry_line(self.view, size[0])[1] if self.view.entry is not None else None
        self.screen.paint(frame(self.view, *size), size, cursor)
        self._painted = time.monotonic()
