"""The place of one daemon: a lock, held for as long as it lives, and a socket that
nobody but it takes away.

Folders are cleaned, moved and made anew under living daemons. A daemon that finds its socket
gone puts up another, as long as the lock in the folder is its own or free; one that has a
successor leaves it alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path

from ennio.machine.files import acquire
from ennio.plugins.runtime.ptyd.protocol import LOCK, SOCKET, address, connect

_LOCK_WITHIN = 2.0
_ANSWER_WITHIN = 1.0
_QUEUE = 128


class ServerSocket:
    """The listening socket and the lock beside it. ``listener`` does not block; ``reopen`` may
    put another in its place.
    """

    def __init__(self, home: Path, lock: int) -> None:
        self._home = home
        self._lock = lock
        self._own: tuple[int, int] | None = None
        self.listener = self._open()

    def is_intact(self) -> bool:
        """Whether the socket and the lock in the folder are those of this daemon."""
        return self._has_socket() and self._has_lock()

    def reopen(self) -> bool:
        """Open it again when it does not stand; False while that cannot be, as with a
        successor in the folder.
        """
        try:
            if not self._has_lock() and not self._take_lock():
                return False
            self.listener = self._open()
        except OSError:  # the folder is gone, or there is no room in it
            return False
        return True

    def close(self) -> None:
        """Take away the socket, if it is ours, then let go of the lock."""
        if self._has_socket():
            (self._home / SOCKET).unlink(missing_ok=True)
        self.listener.close()
        os.close(self._lock)

    def _open(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.setblocking(False)
        try:
            with address(self._home) as place:
                Path(place).unlink(missing_ok=True)  # of a daemon that was killed: we hold its lock
                listener.bind(place)
            listener.listen(_QUEUE)
        except OSError:
            listener.close()
            raise
        self._own = _identity(self._home / SOCKET)
        return listener

    def _has_socket(self) -> bool:
        return self._own is not None and self._own == _identity(self._home / SOCKET)

    def _has_lock(self) -> bool:
        held = os.fstat(self._lock)
        return _identity(self._home / LOCK) == (held.st_ino, held.st_mtime_ns)

    def _take_lock(self) -> bool:
        """Hold the lock of a folder that was emptied or made anew, unless somebody else does."""
        lock = acquire(self._home / LOCK)
        if lock is None:
            return False
        os.close(self._lock)
        self._lock = lock
        return True


def acquire_lock(home: Path) -> int | None:
    """The lock of the folder, held; None when another daemon has it."""
    deadline = time.monotonic() + _LOCK_WITHIN
    while (
        lock := acquire(home / LOCK, patience=0.02)
    ) is None:  # somebody only looks, or begins or ends with it
        if _is_listening(home) or time.monotonic() > deadline:
            return None
    return lock


def _is_listening(home: Path) -> bool:
    """Whether somebody listens there; a socket alone may have been left by
    a daemon that was killed.
    """
    with contextlib.suppress(OSError):
        connect(home, _ANSWER_WITHIN).close()
        return True
    return False


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name; None when there is none."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
