"""What the demo shows, at any size of terminal, with and without colours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.board.style import Style
from ennio.board.style import shown as as_printed
from ennio.board.table import cells
from ennio.demo.picture import SUBTITLE, FrameContent, StoryLine, picture

COLOURS = Style(on=True)
SESSIONS = (
    {
        "role": "greet",
        "status": "ci_failed",
        "activity": "active",
        "pr_number": 1,
        "reason": "greetings failed on 0cb7cd7af8",
    },
    {
        "role": "silent",
        "status": "working",
        "activity": None,
        "pr_number": None,
        "reason": "the agent is alive",
    },
)
LINES = (
    StoryLine(1.0, "greet", "checks failed on #1: greetings", "ci_failing"),
    StoryLine(2.0, "greet", "is told which check failed, and why", "message_delivered"),
    StoryLine(3.0, "greet", "you approve #1"),
)


def bare(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", as_printed(line))


@given(
    width=st.integers(1, 150),
    height=st.integers(1, 40),
    on=st.booleans(),
    trouble=st.sampled_from(["", "the worker was killed"]),
)
def test_it_fits_every_terminal(width: int, height: int, on: bool, trouble: str) -> None:
    shown = picture(FrameContent(12.3, SESSIONS, LINES * 20, trouble, Style(on)), width, height)
    assert len(shown) <= height
    assert all(cells(bare(line)) <= width for line in shown)


@given(width=st.integers(1, 150), height=st.integers(1, 40))
def test_colours_change_nothing_but_the_colour(width: int, height: int) -> None:
    painted = picture(FrameContent(1.0, SESSIONS, LINES, style=COLOURS), width, height)
    plain = picture(FrameContent(1.0, SESSIONS, LINES), width, height)
    assert [bare(line).rstrip() for line in painted] == [line.rstrip() for line in plain]


def test_a_terminal_without_any_room_is_no_error() -> None:
    assert picture(FrameContent(1.0, SESSIONS, LINES), 0, 0) == []


def test_the_newest_lines_stay_when_there_is_no_room_for_all() -> None:
    shown = picture(FrameContent(1.0, SESSIONS, LINES), 120, 8)
    assert [line.split()[0] for line in shown[6:]] == ["2.0", "3.0"]


def test_nothing_has_happened_yet() -> None:
    shown = picture(FrameContent(0.0), 120, 30)
    assert SUBTITLE in shown[0]
    assert shown[0].endswith("0.0 s")


def test_trouble_stands_where_everybody_looks_first() -> None:
    assert (
        "the worker was killed"
        in picture(FrameContent(1.0, SESSIONS, LINES, "the worker was killed"), 100, 20)[0]
    )


@pytest.mark.parametrize(("line", "code"), [(LINES[0], "31"), (LINES[1], "36"), (LINES[2], "35")])
def test_a_line_has_the_colour_of_what_it_tells(line: StoryLine, code: str) -> None:
    assert f"\x1b[{code}m" in as_printed(line.shown(120, COLOURS))


def test_a_message_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in StoryLine(1.0, "greet", "\x1b[2Jgone\n", "pr_created").shown(120, Style())


def test_in_a_pipe_a_line_says_of_whom_it_is_or_who_acts() -> None:
    assert LINES[0].plain() == "   1.0 s  greet     checks failed on #1: greetings"
    assert LINES[2].plain() == "   3.0 s  > greet   you approve #1"
