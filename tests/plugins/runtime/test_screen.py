"""What a terminal shows."""

import random

import pytest

from ennio.plugins.runtime.screen import Screen, render


def shown(*chunks: bytes) -> str:
    screen = Screen(40, 5)
    for chunk in chunks:
        screen.feed(chunk)
    return screen.shown(5)


def test_escape_codes_are_obeyed_and_not_shown() -> None:
    assert shown(
        b"\x1b[1;31mred\x1b[0m\r\nover\rO\r\n\x1b[2Jgone?\x1b[H" + "é漢".encode()
    ).startswith("é漢")


def test_output_may_be_cut_anywhere() -> None:
    whole = b"a\x1b[38;5;1mb\x1b]0;title\x07c\xc3\xa9\x1bP+q544e\x1b\\d\x1b[>4;2me\x1b[?1049h\x1b[Hf\x1b_Gi=1\x1b\\g"
    assert {shown(whole[:cut], whole[cut:]) for cut in range(len(whole))} == {"fg"}
    assert shown(*(bytes([byte]) for byte in whole)) == "fg"


NEWER = (
    b"\x1bP+q544e\x1b\\",
    b"\x1b_Gi=1\x1b\\",
    b"\x1b[<u",
    b"\x1b[>7u",
    b"\x1b[38:2::1:2:3m",
    b"\x1b[4:3m",
    b"\x1b[?2026h",
)


@pytest.mark.parametrize("code", NEWER)
def test_codes_of_newer_terminals_leave_nothing_behind(code: bytes) -> None:
    assert shown(code + b"X") == "X"


def test_no_output_whatever_can_break_it() -> None:
    dice = random.Random(1)
    letters = (
        b"\x1b\x1b\x1b[[]?<>;;0123456789mhlJKHABCDGPX@LMrcu`defg$ \x07\x9b\\P(#)%8a\r\n"
        b"\x08\x0e\xc3\xa9\xf0"
    )
    for _ in range(300):
        shown(*(bytes(dice.choice(letters) for _ in range(40)) for _ in range(3)))
    assert shown(b"\x1b[?5Cok") == "ok"


def test_what_scrolled_away_is_remembered_when_asked_for() -> None:
    data = "".join(f"{number}\r\n" for number in range(100)).encode()
    assert render(data, 40, 5, 10).split("\n") == [str(number) for number in range(90, 100)]
    assert render(data, 40, 5, 0) == ""


def test_another_size_is_taken() -> None:
    screen = Screen(40, 5)
    screen.resize(80, 10)
    screen.feed(b"x" * 80)
    assert screen.shown(10) == "x" * 80
