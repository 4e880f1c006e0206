"""Keeps what a tmux server is asked apart from the moment a control client is attached to it.

A client says to the server what it is in several messages. When the server has something to tell
(a session that was made or has gone, a buffer, a client that was attached) between the one that
says ``control`` and the last one, every tmux before 3.7 ends by a fault of its own, and takes all
its sessions along: ``control_write`` in its control.c of 3.3a to 3.6, where ``control_state`` is
not there yet.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AttachGuard:
    """Commands go side by side, a control client is attached alone; safe under threads."""

    def __init__(self) -> None:
        self._attaching = threading.Lock()
        self._under_way: set[object] = set()

    @contextmanager
    def command(self) -> Iterator[None]:
        """One command; waits while a control client is attached, for milliseconds."""
        mark = object()
        with self._attaching:
            self._under_way.add(mark)
        try:
            yield
        finally:
            self._under_way.discard(mark)

    @contextmanager
    def attach(self) -> Iterator[bool]:
        """Attach a control client; False where commands are under way, and it must not be."""
        with self._attaching:
            yield not self._under_way
