"""Tables that fit."""

from __future__ import annotations

import wcwidth
from hypothesis import given
from hypothesis import strategies as st

from ennio.board.style import Style, shown
from ennio.board.table import NARROW, Column, cells, clean, cut, pad, pairs, table

NAMES = (Column("ID"), Column("TEXT", elastic=True), Column("N", right=True))


def test_a_table_aligns_its_columns_under_their_titles() -> None:
    assert table(NAMES, [("a", "first", "1"), ("bcd", "second one", "20")]) == [
        "ID   TEXT         N",
        "a    first        1",
        "bcd  second one  20",
    ]


def test_elastic_columns_give_way_and_show_their_loss() -> None:
    assert table(NAMES, [("abc", "a rather long text", "1")], width=15) == [
        "ID   TEXT     N",
        "abc  a rath…  1",
    ]


def test_a_column_that_is_empty_in_every_row_is_left_out() -> None:
    assert table(NAMES, [("a", "", "1")]) == ["ID  N", "a   1"]


def test_colours_do_not_move_the_columns() -> None:
    style = Style(on=True)
    lines = table(
        NAMES,
        [("a", "x", "1")],
        tint=lambda column, _cell, padded: style.paint(
            "red" if column.title == "ID" else None, padded
        ),
    )
    assert shown(lines[1]) == "\x1b[31ma \x1b[0m  x     1"


def test_wide_characters_count_as_two_cells_and_combining_ones_as_none() -> None:
    assert [cells(text) for text in ("abc", "日本", "é")] == [3, 4, 1]
    assert cut("日本語", 5) == "日本…"
    assert pad("日本", 6) == "日本  "


def test_what_the_board_draws_with_is_one_cell_wide() -> None:
    assert {one: wcwidth.wcwidth(one) for one in NARROW} == dict.fromkeys(NARROW, 1)
    assert cells("◆ 日本") == 6


def test_a_title_cannot_steer_the_terminal() -> None:
    assert clean("\x1b]0;owned\x07line\nnext\x9b2J") == "\\x1b]0;owned\\x07line next\\x9b2J"
    assert "\x1b" not in "".join(table(NAMES, [("\x1b[2J", "a\rb", "1")]))


@given(
    st.lists(
        st.tuples(st.text(max_size=30), st.text(max_size=60), st.text(max_size=5)),
        min_size=1,
        max_size=5,
    ),
    st.integers(60, 120),
)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    columns = (Column("A", elastic=True), Column("B", elastic=True), Column("C"))
    assert all(cells(line) <= width for line in table(columns, rows, width))


@given(st.text(max_size=40), st.integers(0, 20))
def test_a_cut_text_is_never_wider_than_asked_for(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


def test_pairs_leave_out_what_is_empty_and_keep_lines_aligned() -> None:
    assert pairs([("id", "x"), ("none", ""), ("prompt", "one\ntwo")]) == [
        "id      x",
        "prompt  one",
        "        two",
    ]
