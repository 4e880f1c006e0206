"""A request leaves in one piece, unless it is large."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ennio.plugins.web.whole_request import MOST, InOnePiece


class Line:
    """A socket that writes down what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def settimeout(self, _seconds: object) -> None:
        """Nothing is waited for."""


@pytest.mark.parametrize(
    ("body", "pieces"),
    [(None, 1), (b"", 1), (b"hello", 1), (b"x" * MOST, 1), (b"x" * (MOST + 1), 2)],
)
def test_the_head_of_a_request_leaves_with_its_body_unless_that_is_large(
    body: bytes | None, pieces: int
) -> None:
    line: Any = Line()
    connection = InOnePiece("model.example")
    connection.sock = line
    connection.request("POST", "/v1/messages", body, {"Content-Type": "text/plain"})
    assert len(line.sent) == pieces
    assert line.sent[0].startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"".join(line.sent).partition(b"\r\n\r\n")[2] == (body or b"")


@pytest.mark.parametrize("ends", ["goes on", "is closed", "says what nobody asked for"])
@pytest.mark.parametrize("limit", [None, 30.0])
def test_it_is_known_without_waiting_whether_a_kept_connection_still_stands(
    ends: str, limit: float | None
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = InOnePiece("model.example")
        assert not connection.is_connected
        connection.sock = ours
        ours.settimeout(limit)
        if ends == "is closed":
            theirs.close()
        elif ends == "says what nobody asked for":
            theirs.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        assert connection.is_connected is (ends == "goes on")
        assert ours.gettimeout() == limit
