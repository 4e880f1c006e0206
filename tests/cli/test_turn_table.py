"""Sessions by whose turn it is, in a narrow terminal and in a wide one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ennio.board.sessions import message_waits
from ennio.board.style import PLAIN
from ennio.board.table import cells
from ennio.cli.turn_table import by_turn, count_of_turns, turn_table
from tests.cli.told import SESSION

NOW = datetime(2026, 1, 1, 1, 2, tzinfo=UTC)


def _session(turn: str, word: str, since: str, title: str, **more: Any) -> dict[str, Any]:
    named = {"turn": turn, "word": word, "turn_since": f"2026-01-01T{since}:00+00:00"}
    return SESSION | named | {"title": title} | more


SESSIONS = [
    _session("over", "merged", "00:02", "Fix the typo in the footer", turn_why="#39 is merged"),
    _session("you", "asks", "01:00", "Rate-limit the login form"),
    _session("agent", "replies", "00:56", "Rename user to account", turn_why="told of 2 comments"),
    _session("agent", "works", "00:31", "Split the big controller", signal_at="x", turn_why="?"),
    _session(
        "you", "merge", "00:51", "\u65e5\u672c\u8a9e " * 12, turn_why="approved, 9 checks pass " * 9
    ),
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = turn_table(by_turn(SESSIONS), NOW, width, PLAIN)
    assert len(lines) == 6
    assert max(map(cells, lines)) <= max(width, 60)


def test_at_eighty_columns_the_turn_the_title_and_the_reason_are_there() -> None:
    titles, *rows = turn_table(by_turn(SESSIONS), NOW, 80, PLAIN)
    assert titles.split() == ["TURN", "SESSION", "TITLE", "PR", "FOR", "WHY"]
    assert [row.split("  ")[0] for row in rows] == [
        "you merge",
        "you asks",
        "agent replies",
        "agent works?",
        "over merged",
    ], "a person's first, who waits longest before all"
    assert "Rate-limit the" in rows[1]
    assert rows[1].endswith("2m  May I run rm?")


def test_the_turns_are_counted() -> None:
    assert count_of_turns(SESSIONS) == "5 sessions: 2 your turn, 2 the agent's, 1 over"
    assert count_of_turns(SESSIONS[:1]) == "1 session: 1 over"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            "waits for budget session:ma-1:total, which is used up",
            "a message waits for budget session:ma-1:total, which is used up",
        ),
        ("waits for the machine: it is away", "a message waits for the machine"),
        ("waits for its plan; the window begins anew at 12:00", "a message waits for its plan"),
        ("it cannot be typed: there is no terminal", "a message waits: it cannot be typed"),
    ],
)
def test_what_a_message_waits_for_is_cut_behind_words_and_not_within_a_name(
    reason: str, shown: str
) -> None:
    waits = {"since": "2026-01-01T01:00:00+00:00", "reason": reason}
    assert message_waits(SESSION | {"message_waits": waits}, NOW) == shown
