"""What runtimes say of a screen, and what they make of keys."""

from __future__ import annotations

from ennio.http.styled_runs import runs_of
from ennio.plugins.runtime.screen import Screen
from ennio.plugins.runtime.tmux_keys import keys
from ennio.plugins.runtime.tmux_shot import painted, shot_of


def test_keys_go_as_bytes_and_those_of_the_cursor_by_their_names() -> None:
    assert list(keys(b"ab\x1b[A\x1bOB;")) == ["-H 61 62", "Up", "Down", "-H 3b"]
    assert list(keys("é".encode())) == ["-H c3 a9"]
    assert [len(words) for words in keys(b"x" * 2000)] == [2 + 3 * 1024, 2 + 3 * 976]


def test_an_emulated_screen_is_shot_with_its_looks_and_what_scrolled_off() -> None:
    screen = Screen(20, 3, scrollback=10)
    screen.feed(b"one\r\ntwo\r\n\x1b[1;31mred\x1b[m\r\n\x1b[48;5;21mfour\x1b[m x")
    shot = screen.shot(5)
    assert (shot.columns, shot.rows, shot.above, shot.column, shot.row) == (20, 3, 1, 6, 2)
    assert runs_of(shot.lines) == [
        [{"t": "one"}],
        [{"t": "two"}],
        [{"t": "red", "f": 1, "s": "b"}],
        [{"t": "four", "b": "#0000ff"}, {"t": " x"}],
    ]


def test_what_tmux_captured_is_a_screen_that_can_be_painted_again() -> None:
    told = " 2 1 10 2 1\nabove\n\x1b]8;;http://x\x07\x1b[32mgreen\x1b[39m\n$ \x0e\n"
    shot = shot_of(told)
    assert (shot.columns, shot.rows, shot.above, shot.column, shot.row) == (10, 2, 1, 2, 1)
    assert shot.lines == ("above", "\x1b[32mgreen\x1b[39m", "$ ")
    screen = Screen(10, 2)
    screen.feed(painted(shot))
    assert screen.shown(9) == "green\n$"
    assert (screen.view().column, screen.view().row) == (2, 1)
