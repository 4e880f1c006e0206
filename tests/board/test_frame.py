"""The board's picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.board.frame import BoardView, frame, scroll
from ennio.board.sessions import activity, living, summary, warnings, why
from ennio.board.table import cells

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def session(number: int, **more: Any) -> dict[str, Any]:
    base = {
        "id": f"ma-{number:08x}",
        "project_id": "my-app",
        "status": "working",
        "activity": "active",
        "branch": f"issue-{number}",
    }
    return (
        base
        | {
            "created_at": "2026-01-01T11:00:00+00:00",
            "agent_name": "scripted",
            "reason": "the agent is alive",
        }
        | more
    )


def test_a_frame_shows_the_table_between_title_and_help() -> None:
    lines = frame(
        BoardView(
            NOON,
            [session(1), session(2, status="ci_failed", pr_number=7)],
            url="http://127.0.0.1:3000",
        ),
        120,
        10,
    )
    assert len(lines) == 10
    assert lines[0] == "ennio  http://127.0.0.1:3000  2 sessions: 1 working, 1 ci_failed"
    assert lines[2].split() == [
        "SESSION",
        "STATUS",
        "ACTIVITY",
        "BRANCH",
        "PR",
        "AGENT",
        "AGE",
        "WHY",
    ]
    assert "#7" in lines[4]
    assert lines[-1].endswith("q quit  ↑↓ scroll")


def test_a_frame_scrolls_but_never_past_the_last_session() -> None:
    sessions = [session(number) for number in range(50)]
    assert "ma-00000031" in "".join(frame(BoardView(NOON, sessions, top=1000), 120, 12))
    assert "ma-00000000" in "".join(frame(BoardView(NOON, sessions, top=-3), 120, 12))
    assert scroll(0, 10, rows=5, room=20) == 0


def test_a_frame_says_that_it_is_not_up_to_date() -> None:
    assert (
        "not up to date: no answer"
        in frame(BoardView(NOON, [session(1)], trouble="no answer"), 80, 10)[-2]
    )


@pytest.mark.parametrize(
    ("since", "reason", "shown"),
    [
        (
            "11:59:50",
            "waits for the person at the terminal: words of theirs",
            "a message waits for the person at the terminal; the agent is alive",
        ),
        (
            "11:59:50",
            "the screen shows no place to type",
            "a message waits: the screen shows no place to type; the agent is alive",
        ),
        ("11:59:50", "", "a message waits; the agent is alive"),
        ("11:59:50", "the agent is alive; messages wait", "a message waits; the agent is alive"),
        ("11:59:58", "waits for the person at the terminal", "the agent is alive"),
    ],
)
def test_why_tells_of_a_message_that_waits_for_longer_than_a_delivery_takes(
    since: str, reason: str, shown: str
) -> None:
    waits = {"since": f"2026-01-01T{since}+00:00", "reason": reason}
    assert why(session(1, message_waits=waits), NOON) == shown


def test_a_frame_without_sessions_says_how_to_begin() -> None:
    assert any("ennio spawn" in line for line in frame(BoardView(NOON), 100, 8))


@given(
    st.integers(0, 200), st.integers(0, 60), st.integers(0, 30), st.text(max_size=80), st.booleans()
)
def test_a_frame_is_exactly_as_large_as_the_terminal(
    width: int, height: int, count: int, reason: str, blind: bool
) -> None:
    since = "2026-01-01T10:00:00+00:00" if blind else None
    lines = frame(
        BoardView(NOON, [session(n, reason=reason, no_signal_since=since) for n in range(count)]),
        width,
        height,
    )
    assert len(lines) == height
    assert all(cells(line) <= width for line in lines)


def test_incident_12_a_lost_signal_is_shown_beside_the_last_that_was_seen() -> None:
    lost = session(1, no_signal_since="2026-01-01T10:00:00+00:00")
    assert warnings([lost, session(2)], NOON) == [
        "no signal from ma-00000001 (2h): what is shown of them is the last that was seen"
    ]
    assert "active?" in "\n".join(frame(BoardView(NOON, [lost]), 120, 10))


def test_a_question_stands_before_every_other_reason() -> None:
    assert why(session(1, question="Delete it?", queued={"held": True}), NOON) == "asks: Delete it?"
    assert why(session(1, queued={"held": True, "reason": "x"}), NOON) == "held"
    assert why(session(1, queued={"held": False, "reason": "3 of 3 run"}), NOON) == "3 of 3 run"


def test_the_living_are_those_whose_agent_may_run() -> None:
    ended = [
        session(n, status=status, activity="exited")
        for n, status in enumerate(("merged", "done", "exited", "killed"))
    ]
    alive = [
        session(10),
        session(11, status="approved"),
        session(12, no_signal_since="2026-01-01T10:00:00+00:00"),
    ]
    lingers = session(15, status="merged", activity="idle")
    gone = [
        session(13, activity="exited", status="pr_open"),
        session(14, queued={"held": False, "reason": ""}),
    ]
    assert [s["id"] for s in living([*ended, *alive, *gone, lingers])] == [
        s["id"] for s in (*alive, lingers)
    ]
    assert summary(alive) == "3 sessions: 2 working, 1 approved"


def test_a_turn_that_is_over_while_helpers_work_shows_how_many() -> None:
    assert activity(session(1, activity="ready", helpers=2)) == "ready +2"
    assert activity(session(1, activity="active", helpers=2)) == "active"
