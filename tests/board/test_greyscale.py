"""The board without its colours: rows that mean different things are told apart by text or mark."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from ennio.board.columns import checks, layout, row_lines, row_look
from ennio.board.glyphs import ASCII, UNICODE, Glyphs
from ennio.board.row import Row
from ennio.board.style import Style, bare
from tests.board.stand_ins import NOON, session

TURNS = Path(__file__).parents[2] / "docs" / "turns.md"
_ROW = re.compile(r"^\| \w+ \|[^|]*\| (you|agent|world|over) · ((?:`\w+` ?)+)\|", re.MULTILINE)


def states() -> list[tuple[str, str]]:
    """Every turn with each of its words, as the table of the rules has them."""
    found = re.findall(_ROW, TURNS.read_text())
    return [(turn, word) for turn, words in found for word in re.findall(r"`(\w+)`", words)]


def test_the_table_of_states_is_read_whole() -> None:
    told = states()
    assert {turn for turn, _ in told} == {"you", "agent", "world", "over"}
    assert len(set(told)) == len(told) > 20
    assert {("you", "review"), ("world", "review"), ("over", "killed")} <= set(told)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("theme", ["basic", "dark", "light"])
@pytest.mark.parametrize("width", [20, 59, 80, 160])
def test_no_two_states_of_a_row_differ_by_colour_alone(
    width: int, theme: str, glyphs: Glyphs
) -> None:
    look, shape = row_look(glyphs, Style(on=True, theme=theme), False), layout(width, pane=False)
    signals = (None, NOON.isoformat()) if width >= 24 else (None,)  # no room for more than it is
    drawn: dict[str, tuple[str, str, str | None]] = {}
    for (turn, word), signal_at in product(states(), signals):
        told = session(0, turn=turn, word=word, signal_at=signal_at, cost=None, question=None)
        lines = row_lines(Row.of(told), NOON, shape, look, "ma-1a2b", "row")
        seen = "\n".join(map(bare, lines))
        other = drawn.setdefault(seen, (turn, word, signal_at))
        assert other == (turn, word, signal_at), f"both are {seen!r}"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_two_outcomes_of_the_checks_differ_by_colour_alone(glyphs: Glyphs) -> None:
    outcomes = [(9, 0, 0), (7, 2, 0), (7, 0, 2), (0, 9, 0), (0, 0, 9)]
    cells = [
        checks(Row.of(session(0, checks=dict(zip(_NAMES, each, strict=True)))), glyphs)
        for each in outcomes
    ]
    assert len(set(cells)) == len(outcomes), cells


_NAMES = ("passing", "failing", "pending")
