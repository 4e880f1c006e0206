"""An answer that is sent in chunks, read as it comes: as much of it at once as has come.

Python gives one chunk at a time, and looks three times for each. A model's answer is hundreds of
small ones: whoever passes it on would send each on its own, long after the next have come.
"""

from __future__ import annotations

import re
from http.client import HTTPResponse, IncompleteRead

_SIZE = rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n"
_FIRST, _NEXT = re.compile(_SIZE), re.compile(rb"\r?\n" + _SIZE)
"""What stands before the first chunk, and between two."""
LONGEST = 64 << 10
"""Bytes of what stands between two chunks."""


class Chunks:
    """Takes the framing off a body in chunks (RFC 9112, 7.1), piece by piece as it comes. Pure.

    ``ended`` is whether all of it has come, ``broken`` whether what comes is no such body, or has
    ended in the middle: then what was whole before it has been given.
    """

    def __init__(self) -> None:
        self.ended = self.broken = False
        self._before = _FIRST
        self._left = 0  # bytes of the chunk that is coming
        self._last = False  # the one that says that there are no more
        self._held = b""  # of the framing, until it is whole

    def feed(self, raw: bytes) -> bytes:
        """What was sent, as far as it is in this piece; an empty piece is the end of all."""
        if not raw:
            # some servers leave out what stands behind the last chunk
            self.ended, self.broken = self._last, not self._last
            return b""
        data, self._held = self._held + raw, b""
        found, at, left = [], 0, self._left
        while at < len(data) and not self.ended:
            if left:
                piece = data[at : at + left]
                found.append(piece)
                at += len(piece)
                left -= len(piece)
            elif self._last:
                at = self._trailer(data, at)
            elif (size := self._before.match(data, at)) is not None:
                left, at, self._before = int(size[1], 16), size.end(), _NEXT
                self._last = not left
            else:
                at = self._hold(data, at, lines=0 if self._before is _FIRST else 1)
        self._left = left
        return b"".join(found)

    def _trailer(self, data: bytes, at: int) -> int:
        """Read a line behind the last chunk, where an empty one is the end; where the next is."""
        end = data.find(b"\n", at) + 1
        if not end:
            return self._hold(data, at, lines=0)
        self.ended = data[at:end] in (b"\r\n", b"\n")
        return end

    def _hold(self, data: bytes, at: int, lines: int) -> int:
        """Keep what is not whole yet, and may have so many ends of lines in it."""
        self._held = data[at:]
        self.broken = self._held.count(b"\n") > lines or len(self._held) > LONGEST
        return len(data)


class ChunkedAnswer(HTTPResponse):
    """An answer whose ``read1`` gives all that has come. It is read by that alone."""

    _chunks: Chunks | None = None

    def read1(self, n: int = -1) -> bytes:
        """See the base class."""
        if not self.chunked or self.fp is None or self.length == 0:
            return super().read1(n)
        chunks = self._chunks = self._chunks or Chunks()
        data = b""
        while not data and not chunks.ended:
            if chunks.broken:
                raise IncompleteRead(b"")
            data = chunks.feed(self.fp.read1(n))
        if chunks.ended:
            self.close()
        return data
