"""What the keeper hears in a terminal's output."""

import pytest

from ennio.plugins.runtime.keeper.ear import Ear


def test_the_title_is_heard_however_it_is_cut() -> None:
    whole = "before\x1b]0;◐ working; on it\x1b\\after".encode()
    for cut in range(len(whole)):
        ear = Ear()
        ear.hear(whole[:cut])
        ear.hear(whole[cut:])
        assert ear.title == "◐ working; on it"


def test_the_paste_mode_is_heard_alone_and_among_others() -> None:
    ear = Ear()
    ear.hear(b"\x1b[?2004h")
    assert ear.bracketed
    ear.hear(b"\x1b[?1049;2004l")
    assert not ear.bracketed


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
    ear = Ear()
    assert ear.hear(b"x" + question[:2]) + ear.hear(question[2:]) + ear.hear(b"more") == answer


def test_nothing_is_hoarded() -> None:
    ear = Ear()
    for _ in range(100):
        ear.hear(b"\x1b]0;" + b"x" * 5000)
    assert len(ear._rest) <= 1024
