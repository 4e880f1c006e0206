"""A body in chunks, as the standard library reads it, however it comes."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.plugins.web.chunked_answer import LONGEST, ChunkedAnswer, Chunks

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EXTENSIONS = st.sampled_from([b"", b";name=value", b" ; name", b';q="a b"'])
TRAILERS = st.sampled_from([b"", b"Expires: never\r\n", b"A: b\r\nC: d\r\n"])
BODIES = st.lists(st.tuples(st.binary(min_size=1, max_size=40), EXTENSIONS), max_size=8)


def framed(chunks: list[tuple[bytes, bytes]], trailer: bytes = b"") -> bytes:
    return (
        b"".join(b"%x%b\r\n%b\r\n" % (len(data), more, data) for data, more in chunks)
        + b"0\r\n"
        + trailer
        + b"\r\n"
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, cut at these places of it."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


@given(BODIES, TRAILERS, st.lists(st.integers(0, 1000), max_size=30))
def test_a_body_is_the_same_however_it_is_cut(
    chunks: list[tuple[bytes, bytes]], trailer: bytes, places: list[int]
) -> None:
    raw, reader, found = framed(chunks, trailer), Chunks(), b""
    for piece in cut(raw, places):
        assert not reader.ended
        found += reader.feed(piece)
    assert (found, reader.ended, reader.broken) == (b"".join(d for d, _ in chunks), True, False)


@contextmanager
def answering(said: bytes, *, ends: bool = True) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection on which this was said, and its other side."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        theirs.sendall(said)
        if ends:
            theirs.shutdown(socket.SHUT_WR)
        yield ours, theirs


def whole(kind: type[HTTPResponse], said: bytes) -> tuple[bytes, bool]:
    """What is read of an answer, and whether it came to its end."""
    with answering(HEAD + said) as (ours, _):
        answer, found = kind(ours), b""
        answer.begin()
        try:
            while piece := answer.read1(100):
                found += piece
        except HTTPException:
            return found, False
        finally:
            answer.close()
        return found, True


@settings(max_examples=200, deadline=None)
@given(BODIES, TRAILERS, st.data())
def test_one_that_ends_in_the_middle_is_read_as_far_as_python_reads_it(
    chunks: list[tuple[bytes, bytes]], trailer: bytes, data: Any
) -> None:
    raw = framed(chunks, trailer)
    said = raw[: data.draw(st.integers(0, len(raw)))]
    found, ended = whole(HTTPResponse, said)
    if len(raw) - len(trailer) - len(said) in (3, 4):
        ended = False  # "0" may be the beginning of another number
    assert whole(ChunkedAnswer, said) == (found, ended)


@pytest.mark.parametrize(
    "said",
    [
        b"x\r\nhello",
        b"-5\r\nhello",
        b"0x5\r\nhello\r\n",
        b"\r\n",
        b"5\r\nhello\r\n\r\n",
        b"5_0\r\n",
    ],
)
def test_what_is_no_such_body_is_not_taken_for_its_end(said: bytes) -> None:
    found, ended = whole(ChunkedAnswer, said)
    assert (b"hello".startswith(found), ended) == (True, False)


def test_what_stands_between_two_chunks_is_not_held_for_ever() -> None:
    chunks = Chunks()
    assert chunks.feed(b"5;" + b"x" * LONGEST) == b""
    assert chunks.broken


def test_all_that_has_come_is_given_at_once_and_nothing_waits_for_the_next() -> None:
    with answering(HEAD + b"5\r\nhello\r\n1\r\n \r\n5\r\nwor", ends=False) as (ours, theirs):
        answer = ChunkedAnswer(ours)
        answer.begin()
        assert answer.read1(1000) == b"hello wor"
        theirs.sendall(b"ld\r\n0\r\n\r\n")
        assert (answer.read1(1000), answer.isclosed()) == (b"ld", True)


def test_its_end_is_known_with_its_last_piece() -> None:
    with answering(HEAD + framed([(b"hello", b""), (b" world", b"")]), ends=False) as (ours, _):
        answer = ChunkedAnswer(ours)
        answer.begin()
        assert (answer.read1(1000), answer.isclosed(), answer.read1(1000)) == (
            b"hello world",
            True,
            b"",
        )


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_no_more_is_given_than_was_asked_for(most: int) -> None:
    with answering(HEAD + framed([(b"hello", b""), (b" world", b"")]), ends=False) as (ours, _):
        answer, pieces = ChunkedAnswer(ours), []
        answer.begin()
        while piece := answer.read1(most):
            pieces.append(piece)
        assert (b"".join(pieces), max(map(len, pieces)) <= most) == (b"hello world", True)


def test_an_answer_without_a_body_has_none() -> None:
    with answering(HEAD + b"5\r\nhello\r\n0\r\n\r\n") as (ours, _):
        answer = ChunkedAnswer(ours, method="HEAD")
        answer.begin()
        assert answer.read1(1000) == b""
        answer.close()
