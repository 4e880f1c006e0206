"""Messages over a stream: four bytes that say how long it is, then JSON. One of no length only
says that somebody is there.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

LARGEST = 256 * 1024 * 1024
"""Bytes of one message; a length above it is no length but something else that speaks there."""
_LENGTH = struct.Struct(">I")


class Cut(OSError):
    """The other side is gone, or what it says is no message."""


def send(connection: socket.socket, message: dict[str, Any] | None) -> None:
    """Send a message, or (None) that one is there. Raises OSError."""
    # not as UTF-8: names of files need not be text, and survive only as escapes
    content = b"" if message is None else json.dumps(message, separators=(",", ":")).encode()
    if len(content) > LARGEST:
        raise Cut(f"a message of {len(content)} bytes is longer than any may be")
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; None where the other side only says that it is there. Raises OSError."""
    length = _LENGTH.unpack(_exactly(connection, _LENGTH.size))[0]
    if length > LARGEST:
        raise Cut(f"what speaks there does not speak of hosts: a message of {length} bytes")
    if not length:
        return None
    try:
        message = json.loads(_exactly(connection, length))
    except (ValueError, RecursionError) as error:
        raise Cut(f"what speaks there does not speak of hosts: {error}") from error
    if not isinstance(message, dict):
        raise Cut("what speaks there does not speak of hosts: a message is an object")
    return message


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        more = connection.recv(min(length - len(found), 1 << 20))
        if not more:
            raise Cut("the connection was closed")
        found += more
    return bytes(found)
