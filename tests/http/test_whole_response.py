"""An answer is one write to its socket, head and body; what is streamed or has no body
is none the worse for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from ennio.http.whole_response import WholeResponse


class _Socket:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


def written(
    headers: Sequence[tuple[str, str]], *pieces: bytes, method: str = "GET", status: str = "200 OK"
) -> list[bytes]:
    """What reaches the socket of an answer."""
    request: Any = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
    connection = _Socket()
    response = WholeResponse(request, connection, Config())
    response.start_response(status, headers)
    for piece in pieces:
        response.write(piece)
    response.close()
    return connection.sent


def test_an_answer_whose_length_is_known_is_written_at_once() -> None:
    (whole,) = written([("Content-Length", "5"), ("Content-Type", "text/plain")], b"hello")
    head, _, body = whole.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 5" in head
    assert b"Content-Type: text/plain" in head
    assert body == b"hello"


def test_an_answer_in_pieces_says_the_same() -> None:
    assert b"".join(written([("Content-Length", "5")], b"he", b"llo")).endswith(b"\r\n\r\nhello")


def test_a_stream_is_sent_piece_by_piece() -> None:
    head, *pieces = written([], b"one", b"two")
    assert b"Transfer-Encoding: chunked" in head
    assert pieces == [b"3\r\none\r\n", b"3\r\ntwo\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")],
)
def test_what_has_no_body_is_a_head_alone(method: str, status: str) -> None:
    (head,) = written([("Content-Length", "0")], method=method, status=status)
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


def test_no_more_is_sent_than_was_announced() -> None:
    assert b"".join(written([("Content-Length", "3")], b"hello")).endswith(b"\r\n\r\nhel")
