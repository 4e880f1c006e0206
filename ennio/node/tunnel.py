"""The near end of the way to a node: a socket in a folder of our own that leads to a port of
another machine's loopback.

Each connection to it is one over there, for as long as both sides hold it. It is made anew where
the way was lost; whoever speaks through it finds it at the same place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from ennio.machine.home import private
from ennio.machine.process_table import start_of
from ennio.model.errors import EnnioError

_PIECE = 64 * 1024
_LONGEST = 100  # bytes of a socket's path: the system has room for 107


class Tunnel:
    """``reach`` connects to the far end and raises OSError or Unreachable; ``folder`` is where the
    near one is, unless that is too long a path for a socket. Safe under threads.
    """

    def __init__(self, reach: Callable[[], socket.socket], folder: Path) -> None:
        self._reach = reach
        self._lock = threading.Lock()
        self._wanted = folder / str(os.getpid())
        self._folder: Path | None = None
        self._opened = threading.Event()
        self.trouble = ""
        """Why the far end could not be reached when somebody tried last; empty when it was."""
        self._listening: socket.socket | None = None
        self._open = set[socket.socket]()

    @property
    def path(self) -> Path:
        """Where it is; the same for all of its life."""
        with self._lock:
            if self._folder is None:
                self._folder = _placed(self._wanted)
            return self._folder / "node"

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._listening is not None

    def wait(self, timeout: float) -> bool:
        """Wait until it takes connections, for so many seconds; whether it does."""
        return self._opened.wait(timeout)

    def open(self) -> None:
        """Listen; fine if it does already. Raises OSError."""
        path = self.path
        with self._lock:
            if self._listening is not None:
                return
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.unlink(missing_ok=True)
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(path))
            os.chmod(path, 0o600)
            self._listening.listen(16)
            listening = self._listening
        self._opened.set()
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """End every connection through it, and take no more until it is opened."""
        self._opened.clear()
        with self._lock:
            listening, self._listening = self._listening, None
            left, self._open = self._open, set()
        for one in (*([listening] if listening else []), *left):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        """Take it away."""
        self.cut()
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        try:
            far = self._reach()
        except (OSError, EnnioError) as error:  # whoever asks sees that nobody is there
            self.trouble = str(error)
            near.close()
            return
        self.trouble = ""
        with self._lock:
            kept = self._listening is not None
            if kept:
                self._open |= {near, far}
        if not kept:
            near.close()
            far.close()
            return
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Until one side has said all or is gone; then the other hears that nothing more comes."""
    with contextlib.suppress(OSError):
        while piece := one.recv(_PIECE):
            other.sendall(piece)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _placed(wanted: Path) -> Path:
    """A folder that only we can enter. What a process left there that was killed is removed."""
    if len(os.fsencode(wanted)) > _LONGEST:
        return Path(tempfile.mkdtemp(prefix="ennio-", dir="/tmp"))
    for other in private(wanted.parent).iterdir():
        if other.name.isdigit() and start_of(int(other.name)) == "":
            shutil.rmtree(other, ignore_errors=True)
    return private(wanted)
