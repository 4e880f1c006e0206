"""How one talks to a daemon: a JSON line and as many bytes as its ``size`` says, the same way back.

One request per connection, on a socket only its owner can reach. Every request is safe to repeat.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ennio.machine.files import is_held

# The names on disk stay what they were: a daemon of an earlier version may still hold terminals.
SOCKET = "keeper.sock"
LOCK = "keeper.lock"
PROTOCOL = 3
"""What is understood: 1 all but following, 2 following a terminal, 3 telling this number with the
list. A daemon outlives the Ennio that started it, so an older one is asked for nothing else.
"""
_LONGEST = 100  # the kernel takes 108 bytes for the address of a unix socket


@contextlib.contextmanager
def address(directory: Path) -> Iterator[str]:
    """The address of the daemon's socket, short enough for the kernel however long the path is."""
    path = str(directory / SOCKET)
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def connect(directory: Path, within: float) -> socket.socket:
    """A connection to the daemon. Raises FileNotFoundError or
    ConnectionRefusedError when none listens.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(within)
    try:
        with address(directory) as place:
            connection.connect(place)
    except OSError:
        connection.close()
        raise
    return connection


def ask(
    connection: socket.socket, request: Mapping[str, Any], payload: bytes = b""
) -> tuple[dict[str, Any], bytes]:
    """Send one request and wait for its answer. Raises ConnectionResetError
    when the daemon goes away.
    """
    connection.sendall(encode(request, payload))
    head, received = _read_head(connection)
    while len(received) < head["size"]:
        received += _read_some(connection)
    return head, received


def encode(head: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """A request or an answer as it goes over the line."""
    return (
        json.dumps({**head, "size": len(payload)}, separators=(",", ":")).encode("ascii")
        + b"\n"
        + payload
    )


def decode(received: bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Take one whole request off the front of what was received, or None while it is incomplete."""
    end = received.find(b"\n")
    if end < 0:
        return None
    head: dict[str, Any] = json.loads(received[:end])
    whole = end + 1 + int(head["size"])
    if len(received) < whole:
        return None
    payload = bytes(received[end + 1 : whole])
    del received[:whole]
    return head, payload


def is_running(directory: Path) -> bool:
    """Whether a daemon lives in the directory: it holds the lock for as long as it does."""
    return is_held(directory / LOCK)


def _read_head(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    received = b""
    while b"\n" not in received:
        received += _read_some(connection)
    first, _, rest = received.partition(b"\n")
    head: dict[str, Any] = json.loads(first)
    return head, rest


def _read_some(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionResetError("the daemon closed the connection before it answered")
    return data
