"""Supervisors in processes that need not load themselves: a server has loaded one, and forks.

Each is what ``python -m ennio.supervise --config FILE`` is: a session, a folder, an environment and
streams of its own, and the system shows its words and its environment as those of any other. Only
the loading is saved, its own and that of each of its workers, which is most of what a start costs;
the tests begin hundreds. What is about the beginning itself begins an interpreter
(``Supervised.forked``), and so does what differs from the server in what an interpreter reads as it
starts (``fork_server.fits``).
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import IO

from tests.fork_server import REAL, begun_server

LOST = 255
"""The exit code of one whose server was ended, so that nobody knows it."""


class ForkedSupervisor:
    """What ``subprocess.Popen`` is of a process of its own, as far as it goes here."""

    def __init__(self, pid: int, itself: int, told: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._itself, self._told = itself, told
        self._learning = threading.Lock()

    def poll(self) -> int | None:
        """The exit code; None as long as it runs."""
        return self._learn(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        code = self._learn(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"supervisor {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it to this very process; nothing when it has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._itself, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _learn(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            told = select.poll()
            told.register(self._told, select.POLLIN)
            if told.poll(None if timeout is None else max(0, int(timeout * 1000))):
                self._take_in()
        return self.returncode

    def _take_in(self) -> None:
        with self._learning:
            if self.returncode is None:
                self.returncode = int(self._told.recv(64) or LOST)

    def __del__(self) -> None:
        self._told.close()
        os.close(self._itself)


def begin(
    module: str, words: Sequence[str], environment: Mapping[str, str], log: IO[bytes]
) -> ForkedSupervisor | None:
    """Begin ``python -m MODULE WORDS`` in ``/`` and a session of its own, its words going to this
    file; None where it cannot be forked, and an interpreter has to begin.
    """
    address = _server(module)
    if address is None:
        return None
    around = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    told.connect(address)
    with open(os.devnull, "rb") as nothing:
        streams = [nothing.fileno(), log.fileno(), log.fileno()]
        socket.send_fds(told, [marshal.dumps((list(words), "/", around))], streams)
    pid, itself, _, _ = socket.recv_fds(told, 64, 1)
    if pid == REAL:
        told.close()
        return None
    return ForkedSupervisor(int(pid), itself[0], told)


@cache
def _server(module: str) -> str | None:
    """The address of this process's server for a module, which is started by who asks first; None
    where there can be none.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    address, said = begun_server("tests.supervisor_server", module, apart=True)
    assert said, f"the server of {module} came up"
    return address if said == b"ready\n" else None
