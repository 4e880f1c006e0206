"""A kept client of a tmux server in control mode: asks without starting a process.

tmux(1), "CONTROL MODE": each line written is a command; its answer stands between ``%begin`` and
``%end`` or ``%error`` with the same time and number. Other lines that begin with ``%`` are news,
which nobody reads here. A client must be attached to a session; it ends with that session, and is
begun anew at the next question.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from ennio.plugins.runtime.tmux_attach_guard import AttachGuard

_BEGIN = re.compile(rb"%begin (\d+ \d+) \d+$")
_FLAGS = "ignore-size,no-output"
"""The client has no size of its own that panes would follow, and is told
nothing of what they print.
"""
_OURS = {"control-mode", *_FLAGS.split(",")}
_LIST = b"list-clients -F '#{client_flags} #{client_pid}'\n"
_GOES = 1.0  # seconds that a client may take to end once its input has
_AGAIN = 30.0  # seconds until a client is tried again after one could not be had


@dataclass(frozen=True, slots=True)
class Block:
    """The answer to one command."""

    ok: bool
    text: str


class _Broken(Exception):
    """The client has ended, or answers no more."""


class NoControl:
    """Stands for one where there can be none: the server is on another machine."""

    def ask(self, session: str, command: str, env: Mapping[str, str]) -> Block | None:
        """None: a process has to ask."""
        return None

    def close(self) -> None:
        """Nothing is open."""


class TmuxControl:
    """One client of the server behind a socket name; safe under threads, which wait for each
    other. Limited by ``timeout``.
    """

    def __init__(self, socket_name: str, timeout: float, guard: AttachGuard) -> None:
        self._name = socket_name
        self._timeout = timeout
        self._guard = guard
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None
        self._rest = b""
        self._not_before = 0.0

    def ask(self, session: str, command: str, env: Mapping[str, str]) -> Block | None:
        """The answer to a command, by a client attached to this session where none is kept; None
        where there is none to be had.

        What cannot be asked this way is asked by a process of its own: None says nothing of the
        server. No line of the answer may be at somebody else's choice, who could feign its end.
        """
        with self._lock:
            try:
                wire = self._wire or self._attached(session, env)
                wire.sendall(f"{command}\n".encode())
                return self._answer(wire)
            except (OSError, _Broken):
                self._end()
                return None
            except BaseException:  # told to stop: what is still on its way answers nobody else
                self._end()
                raise

    def close(self) -> None:
        """End the client."""
        with self._lock:
            self._end()

    def _attached(self, session: str, env: Mapping[str, str]) -> socket.socket:
        if time.monotonic() < self._not_before:
            raise _Broken
        with self._guard.attach() as alone:
            if not alone:
                raise _Broken
            return self._attached_alone(session, env)

    def _attached_alone(self, session: str, env: Mapping[str, str]) -> socket.socket:
        self._not_before = time.monotonic() + _AGAIN
        ours, theirs = socket.socketpair()
        with theirs:
            command = [
                "tmux",
                "-u",
                "-N",
                "-L",
                self._name,
                "-f",
                "/dev/null",
                "-C",
                "attach-session",
                "-f",
                _FLAGS,
                "-t",
                f"={session}",
            ]
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    env=env,
                    cwd="/",
                )
            except OSError:
                ours.close()
                raise
        ours.settimeout(self._timeout)
        self._wire, self._rest = ours, b""
        if not self._answer(ours).ok:
            raise _Broken
        self._not_before = 0.0
        self._end_those_left(ours)
        return ours

    def _end_those_left(self, wire: socket.socket) -> None:
        """End the clients of supervisors that were killed. One that was in the middle of a question
        then waits for its server, and its server for whoever reads the answer: it would be there
        for ever, and the server end no more.
        """
        wire.sendall(_LIST)
        for line in self._answer(wire).text.splitlines():
            flags, _, pid = line.rpartition(" ")
            if set(flags.split(",")) >= _OURS and pid.isdecimal():
                with suppress(psutil.Error):
                    left = psutil.Process(int(pid))
                    if left.ppid() != os.getpid():
                        left.send_signal(signal.SIGTERM)

    def _answer(self, wire: socket.socket) -> Block:
        lines = self._lines(wire)
        begun = next(found for line in lines if (found := _BEGIN.match(line)) is not None)
        end, error, told = b"%end " + begun[1], b"%error " + begun[1], list[bytes]()
        for line in lines:
            if line.startswith((end, error)):
                return Block(line.startswith(end), b"\n".join(told).decode(errors="replace"))
            told.append(line)
        raise _Broken

    def _lines(self, wire: socket.socket) -> Iterator[bytes]:
        until = time.monotonic() + self._timeout
        while True:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                yield line
                continue
            if time.monotonic() > until:
                raise _Broken
            more = wire.recv(65536)
            if not more:
                raise _Broken
            self._rest += more

    def _end(self) -> None:
        if self._wire is not None:
            self._wire.close()  # a client whose input ends goes by itself
        process, self._process, self._wire, self._rest = self._process, None, None, b""
        if process is None:
            return
        try:
            process.wait(_GOES)
        except subprocess.TimeoutExpired:  # it hangs at its server
            process.kill()
            process.wait()
