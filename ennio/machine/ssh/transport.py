"""A connection as paramiko keeps it, with what it lacks: sockets over there, and rare waking."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import paramiko

_STREAM = "direct-streamlocal@openssh.com"
_RARELY = 2.0  # seconds between two looks of its thread whether it is to end
_UNANSWERED = 20_000  # milliseconds after which the kernel gives up what nobody acknowledges
_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)

for _name in ("paramiko", "paramiko.transport"):
    # what goes wrong is raised, and told once; tracebacks of its threads belong on no screen
    _log = logging.getLogger(_name)
    _log.addHandler(logging.NullHandler())
    _log.propagate = False
    _log.setLevel(logging.CRITICAL)


class SshTransport(paramiko.Transport):
    """See the module."""

    def __init__(self, sock: Any) -> None:
        self._reasons: dict[int, int] = {}
        self._asked = threading.local()
        super().__init__(sock)
        self.daemon = True
        self._place = threading.local()

    def settle(self, keepalive: float) -> None:
        """It is logged in: from now on its thread wakes by what comes, and seldom by itself."""
        self.sock.settimeout(_RARELY)
        self.set_keepalive(max(1, round(keepalive)))

    def open_channel(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """See paramiko, which keeps one reason for all channels that are opened at once: each is
        told its own here. Raises SSHException.
        """
        try:
            return super().open_channel(*args, **kwargs)
        except paramiko.SSHException as error:
            reason = self._reasons.pop(getattr(self._asked, "number", -1), None)
            if reason is None:
                raise
            raise paramiko.ChannelException(reason, "the other side refused it") from error

    def _next_channel(self) -> int:
        self._asked.number = super()._next_channel()  # type: ignore[misc]  # not in the stubs
        return int(self._asked.number)

    def _parse_channel_open_failure(self, m: paramiko.Message) -> None:
        number, reason = m.get_int(), m.get_int()
        self._reasons[number] = reason
        m.rewind()
        super()._parse_channel_open_failure(m)  # type: ignore[misc]  # not in the stubs

    def open_socket(self, path: Path, timeout: float) -> paramiko.Channel:
        """A channel to a socket in the file system over there. Raises SSHException."""
        self._place.path = str(path)
        try:
            return self.open_channel(_STREAM, timeout=timeout)
        finally:
            self._place.path = None

    def begin(self, channel: paramiko.Channel, line: str) -> None:
        """Let a command run on a channel, and wait for no word that it was begun."""
        message = paramiko.Message()
        message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(False)
        message.add_string(line)
        self._send_user_message(message)

    def _send_user_message(self, data: Any) -> None:
        """Name the socket where a channel to one is opened, which paramiko does not know of."""
        place = getattr(self._place, "path", None)
        if place is not None:
            data.add_string(place)
            data.add_string("")
            data.add_int(0)
            self._place.path = None
        super()._send_user_message(data)  # type: ignore[misc]  # there, and not in the stubs

    def cut(self) -> None:
        """End it at once, also while its thread or another one waits for the other side."""
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self.close()


def dialled(address: str, port: int, timeout: float) -> socket.socket:
    """A connection to a port of a machine. Raises OSError."""
    made = socket.create_connection((address, port), timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if _USER_TIMEOUT is not None:
        made.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, _UNANSWERED)
    return made
