"""What the daemon understands of a terminal's output."""

import pytest

from ennio.plugins.runtime.ptyd.terminal_parser import TerminalParser


def test_the_title_is_found_however_it_is_cut() -> None:
    whole = "before\x1b]0;◐ working; on it\x1b\\after".encode()
    for cut in range(len(whole)):
        parser = TerminalParser()
        parser.feed(whole[:cut])
        parser.feed(whole[cut:])
        assert parser.title == "◐ working; on it"


def test_the_paste_mode_is_found_alone_and_among_others() -> None:
    parser = TerminalParser()
    parser.feed(b"\x1b[?2004h")
    assert parser.bracketed
    parser.feed(b"\x1b[?1049;2004l")
    assert not parser.bracketed


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1b[6n", b"\x1b[1;1R"),
        (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
        (b"\x1b]11;red\x07", b""),
    ],
)
def test_questions_are_answered_once(question: bytes, answer: bytes) -> None:
    parser = TerminalParser()
    assert (
        parser.feed(b"x" + question[:2]) + parser.feed(question[2:]) + parser.feed(b"more")
        == answer
    )


def test_nothing_is_hoarded() -> None:
    parser = TerminalParser()
    for _ in range(100):
        parser.feed(b"\x1b]0;" + b"x" * 5000)
    assert len(parser._rest) <= 1024
