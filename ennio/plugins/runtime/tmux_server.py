"""The tmux server behind a socket: whether it listens, and how it is called back when
its socket was taken away.

Cleaners of temporary folders remove sockets under living servers. The agents go on, and tmux itself
says that there is no server.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine, ProcessId

_BACK_WITHIN = 1.0
_NOBODY = ProcessId(0, "")


class TmuxServer:
    """The server of one socket name, remembered by who was heard last."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self._name = name
        self.last = _NOBODY

    @property
    def place(self) -> Path:
        """Where its socket is."""
        folder = self._machine.environ.get("TMUX_TMPDIR") or "/tmp"  # noqa: S108  tmux's own place
        return Path(folder) / f"tmux-{self._machine.user}" / self._name

    @property
    def has_socket(self) -> bool:
        """Whether anything is there."""
        return single.exists(self._machine, self.place)

    def heard(self, pid: int) -> None:
        """Remember who answered; its birth is looked up once."""
        if pid != self.last.pid:
            self.last = single.process(self._machine, pid)

    def is_alive(self, server: ProcessId) -> bool:
        """Whether it still runs."""
        return single.is_alive(self._machine, *server)

    def is_refusing(self) -> bool:
        """A proof, not a guess: the socket is not there or refuses."""
        try:
            self._machine.connect(self.place, 1.0).close()
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
        return False

    def restore_socket(self, server: ProcessId) -> bool:
        """Whether this server, alive and without its socket, has put up another.
        Blocks for a second at most.
        """
        if not self.is_alive(server) or not self.is_refusing():
            return False
        self._machine.signal([server], signal.SIGUSR1)  # tmux's own word for it
        until = time.monotonic() + _BACK_WITHIN
        while self.is_refusing():
            if not self.is_alive(server) or time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def server_of(machine: Machine, pid: int | None) -> ProcessId:
    """The tmux server whose child an agent is; nobody when it is another's."""
    agent = machine.processes([pid]).get(pid) if pid is not None else None
    parent = machine.processes([agent.parent]).get(agent.parent) if agent is not None else None
    return (
        parent.id
        if parent is not None and not parent.ended and parent.name.startswith("tmux")
        else _NOBODY
    )
