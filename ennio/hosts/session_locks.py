"""One at a time for each session: a call that is asked for again while it is at work waits
for it, and finds it done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SessionLocks:
    """Locks by session id; one that nobody holds or waits for is forgotten."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, session_id: str) -> Iterator[None]:
        """Held by whoever works on this session."""
        with self._guard:
            lock, wanted = self._locks.get(session_id, (threading.Lock(), 0))
            self._locks[session_id] = lock, wanted + 1
        try:
            with lock:
                yield
        finally:
            self._let_go(session_id)

    def _let_go(self, session_id: str) -> None:
        with self._guard:
            lock, wanted = self._locks.pop(session_id)
            if wanted > 1:
                self._locks[session_id] = lock, wanted - 1
