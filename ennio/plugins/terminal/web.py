"""Agents' terminals for people far away: one look at each, for all who watch it in a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalOutput
from ennio.plugins.registry import PluginContext
from ennio.plugins.runtime.interface import TerminalStream
from ennio.plugins.terminal.attach import AttachTerminal
from ennio.plugins.terminal.feed import TerminalFeed

LINGER = 30.0
"""Seconds that a terminal is looked at after the last one left: they may only have lost their
connection.
"""


class WebTerminal:
    """Keeps a feed for each session that is watched. Safe under threads."""

    name = "web"

    def __init__(self, linger: float = LINGER) -> None:
        self._linger = linger
        self._feeds: dict[str, TerminalFeed] = {}
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}

    def command(
        self, session_id: str, handle: RuntimeHandle, attach: Sequence[str]
    ) -> Sequence[str]:
        """See ``Terminal.command``: in a terminal of theirs a person attaches."""
        return AttachTerminal().command(session_id, handle, attach)

    def watch(
        self,
        session_id: str,
        begin: Callable[[], TerminalStream],
        stream: str | None,
        offset: int,
        timeout: float,
    ) -> TerminalOutput:
        """See ``BroadcastTerminal``."""
        return self._feed(session_id, begin).read(stream, offset, timeout)

    def shutdown(self) -> None:
        """Look at nothing any more."""
        with self._lock:
            feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.close()

    def _feed(self, session_id: str, begin: Callable[[], TerminalStream]) -> TerminalFeed:
        with self._lock:
            alone = self._opening.setdefault(session_id, threading.Lock())
        with alone:  # beginning to look takes a while, and is done once for all
            with self._lock:
                feed = self._feeds.get(session_id)
            if feed is None or feed.over:
                feed = TerminalFeed(begin())
                with self._lock:
                    self._feeds[session_id] = feed
                self._leave_later(session_id, feed, self._linger)
            feed.used_at = time.monotonic()
            return feed

    def _leave_later(self, session_id: str, feed: TerminalFeed, seconds: float) -> None:
        timer = threading.Timer(seconds, self._leave, (session_id, feed))
        timer.daemon = True
        timer.start()

    def _leave(self, session_id: str, feed: TerminalFeed) -> None:
        idle = time.monotonic() - feed.used_at
        if not feed.over and (feed.readers or idle < self._linger):
            self._leave_later(session_id, feed, max(self._linger / 8, self._linger - idle))
            return
        with self._lock:
            if self._feeds.get(session_id) is feed:
                del self._feeds[session_id]
                self._opening.pop(session_id, None)
        feed.close()


def build(context: PluginContext) -> WebTerminal:
    """The terminal; it has no settings."""
    del context
    return WebTerminal()
