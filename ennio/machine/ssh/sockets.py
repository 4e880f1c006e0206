"""Connections to sockets and ports over there, as sockets here."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ennio.machine.ssh import errors
from ennio.machine.ssh.files import RemoteFiles
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.words import quoted
from ennio.model.errors import Unreachable

if TYPE_CHECKING:
    from ennio.machine.ssh.transport import SshTransport

_LOOPBACK = "127.0.0.1"
_LONGEST = 100  # systems take 104 or 108 bytes for the address of a socket
_BLOCK = 1 << 16
_PLACED = rb"""
ennio_q=%(path)b
[ -S "$ennio_q" ] || { [ -e "$ennio_q" ] && { echo 'x: Connection refused' >&2; exit 1; }
 ennio_f "$ennio_q" >&2; exit 1; }
%(short)b
"""


class RemoteSockets:
    """See the module."""

    def __init__(self, pool: ShellPool, files: RemoteFiles, temporary: Path) -> None:
        self._pool, self._files, self._temporary = pool, files, temporary

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        """See ``Machine.connect``."""
        until = time.monotonic() + timeout
        if isinstance(address, int):
            transport = self._pool.transport(until)
            place = (_LOOPBACK, address)
            return _here(
                lambda left: transport.open_channel(
                    "direct-tcpip", place, (_LOOPBACK, 0), timeout=left
                ),
                until,
            )
        return self._to_file(address, until)

    def _to_file(self, path: Path, until: float) -> socket.socket:
        long = len(os.fsencode(path)) > _LONGEST
        link = self._temporary / f"ennio-{os.urandom(6).hex()}"
        place = link / path.name if long else path
        short = b"ln -s -- %b %b || exit 1\n" % (quoted(path.parent), quoted(link))
        answer = self._pool.ask(_PLACED % {b"path": quoted(path), b"short": short if long else b""})
        if answer.code:
            raise errors.system_error(bytes(answer.err), path)
        transport: SshTransport = self._pool.transport(until)
        try:
            return _here(lambda left: transport.open_socket(place, left), until)
        finally:
            if long:
                self._files.remove([link])


def _here(opened: Any, until: float) -> socket.socket:
    """A socket here that leads through the channel that is opened. Raises OSError, Unreachable."""
    import paramiko  # noqa: PLC0415 - only where there is a connection

    try:
        channel = opened(max(0.1, until - time.monotonic()))
    except paramiko.ChannelException as error:
        if error.code == 1:  # the administrator of that machine forbids it
            raise PermissionError(
                13, "its sshd forwards nothing (AllowTcpForwarding, AllowStreamLocalForwarding)"
            ) from error
        raise ConnectionRefusedError(111, "Connection refused") from error
    except (EOFError, paramiko.SSHException) as error:
        if time.monotonic() >= until:
            raise TimeoutError(110, "Connection timed out") from error
        raise Unreachable(f"the connection broke off: {error}") from error
    ours, theirs = socket.socketpair()
    for pump in (_outward, _inward):
        threading.Thread(target=pump, args=(theirs, channel), daemon=True).start()
    return ours


def _outward(end: socket.socket, channel: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := end.recv(_BLOCK):
            channel.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        channel.shutdown_write()


def _inward(end: socket.socket, channel: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := channel.recv(_BLOCK):
            end.sendall(data)
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_WR)
    channel.close()
    end.close()
