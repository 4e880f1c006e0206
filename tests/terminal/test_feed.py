"""What many see of one stream: the same bytes, from wherever each of them is."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as some

from ennio.plugins.terminal.feed import RING, TerminalFeed
from ennio.plugins.terminal.web import WebTerminal
from tests.conftest import eventually


class Played:
    """A stream that gives these pieces, then ends."""

    size = (80, 24)
    missed = 0

    def __init__(self, *pieces: bytes, picture: bytes | None = b"picture") -> None:
        self.pieces = list(pieces)
        self.shown = picture
        self.closed = 0
        self.reading = 0

    def read(self, timeout: float) -> bytes | None:
        del timeout
        self.reading += 1
        assert self.reading == 1, "two read at a time"
        try:
            return self.pieces.pop(0) if self.pieces else None
        finally:
            self.reading -= 1

    def picture(self) -> bytes | None:
        return self.shown

    def close(self) -> None:
        self.closed += 1


def all_of(feed: TerminalFeed, offset: int) -> bytes:
    found = b""
    while True:
        out = feed.read(feed.name, offset, 1)
        assert not out.whole
        found, offset = found + out.data, out.following
        if out.ended:
            return found


@given(some.lists(some.binary(min_size=1, max_size=50), min_size=1, max_size=20))
def test_whoever_reads_from_an_offset_gets_what_follows_it(pieces: list[bytes]) -> None:
    feed = TerminalFeed(Played(*pieces))
    first = feed.read(None, 0, 1)
    assert (first.whole, first.data, first.offset) == (True, b"picture", len(pieces[0]))
    whole = b"".join(pieces)
    assert all_of(feed, first.offset) == whole[first.offset :]
    for offset in range(0, len(whole), 7):
        assert all_of(feed, offset) == whole[offset:], "what is remembered is told again"


def test_who_is_further_behind_than_is_remembered_gets_the_picture_and_is_told() -> None:
    feed = TerminalFeed(Played(*[b"x" * 65536] * (RING // 65536 + 3)))
    start = feed.read(None, 0, 1).offset
    all_of(feed, start)
    late = feed.read(feed.name, start, 1)
    assert late.whole
    assert late.skipped == late.offset - start
    assert feed.read("another", 5, 1).skipped == 0


def test_many_threads_see_the_same_and_one_reads_at_a_time() -> None:
    pieces = [bytes([n % 256]) * (n % 97 + 1) for n in range(300)]
    feed = TerminalFeed(Played(*pieces))
    start = feed.read(None, 0, 1).offset
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(all_of(feed, start))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [b"".join(pieces)[start:]] * 8


def test_a_terminal_is_looked_at_once_and_left_a_while_after_the_last() -> None:
    made: list[Played] = []

    def begin() -> Played:
        made.append(Played(b"a", *[b""] * 1000))
        return made[-1]

    web = WebTerminal(linger=0.2)
    first = web.watch("s-1", begin, None, 0, 0)
    assert web.watch("s-1", begin, first.stream, 0, 0).data == b"a"
    assert len(made) == 1
    eventually(lambda: made[0].closed == 1)
    assert web.watch("s-1", begin, first.stream, 1, 0).whole, "it is another look"
    assert len(made) == 2
    web.shutdown()
    assert made[1].closed == 1
