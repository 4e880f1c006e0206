"""The tmux server behind a socket: whether it listens, and how it is called back when
its socket was taken away.

Cleaners of temporary folders remove sockets under living servers. The agents go on, and tmux itself
says that there is no server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from ennio.plugins.process_start import is_alive, start_of

_BACK_WITHIN = 1.0
Process = tuple[int, str]
"""A pid and its birth."""


class TmuxServer:
    """The server of one socket name, remembered by who was heard last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.last: Process = (0, "")

    @property
    def place(self) -> Path:
        """Where its socket is."""
        return Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.geteuid()}" / self._name  # noqa: S108  tmux's own place

    def heard(self, pid: int) -> None:
        """Remember who answered; its birth is looked up once."""
        if pid != self.last[0]:
            self.last = (pid, start_of(pid))

    def is_refusing(self) -> bool:
        """A proof, not a guess: the socket is not there or refuses."""
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                probe.connect(str(self.place))
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
        return False

    def restore_socket(self, server: Process) -> bool:
        """Whether this server, alive and without its socket, has put up another.
        Blocks for a second at most.
        """
        if not is_alive(*server) or not self.is_refusing():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(server[0], signal.SIGUSR1)  # tmux's own word for it
        until = time.monotonic() + _BACK_WITHIN
        while self.is_refusing():
            if not is_alive(*server) or time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def server_of(pid: int | None, known: Iterable[psutil.Process]) -> Process:
    """The tmux server whose child this one of the known is; of nobody when it is another's."""
    with contextlib.suppress(psutil.Error):
        agent = next((process for process in known if process.pid == pid), None)
        parent = agent.parent() if agent is not None else None
        if parent is not None and parent.name().startswith("tmux"):
            return parent.pid, start_of(parent.pid)
    return 0, ""
