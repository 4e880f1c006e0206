"""How a client of tmux that leaves gives its terminal back, read in whatever pieces."""

from __future__ import annotations

from ennio.plugins.runtime.tmux_stream import FAREWELL, FAREWELL_BEGINS

WHOLE = b"\x1b[1;45r\x1b(B\x1b[m\x1b[?1l\x1b>\x1b[H\x1b[2J"
"""What tmux 3.3a writes."""


def test_a_farewell_that_is_read_in_two_pieces_is_known_by_its_first() -> None:
    """The first piece reached who watched, and [exited] stood where the last screen should."""
    assert FAREWELL.search(b"words" + WHOLE + b"[exited]")
    pieces = [b"words" + WHOLE[:cut] for cut in range(1, len(WHOLE))]
    assert [piece for piece in pieces if FAREWELL.search(piece)] == []
    assert [piece for piece in pieces if not FAREWELL_BEGINS.search(piece)] == []


def test_what_an_agent_writes_waits_for_nothing() -> None:
    for words in (b"", b"words", b"\x1b[1mbold", b"\x1b[2;10rwords", b"\x1b[31mred\x1b[0m"):
        assert not FAREWELL_BEGINS.search(words), words
