"""What the player's transcript says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity, Usage
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.agent.scripted.transcript import go_on

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALIVE = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7)
READY: Mapping[str, Any] = {"type": "ready", "pid": 7, "ppid": 1}


def write(path: Path, *entries: Mapping[str, Any]) -> None:
    with path.open("a") as out:
        for entry in entries:
            out.write(json.dumps({"t": 1_700_000_000.5, **entry}) + "\n")


def look(path: Path, process: ProcessSeen = ALIVE) -> AgentSeen:
    return go_on(LocalMachine(), path, {})[0].seen(process, NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcript.jsonl"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (READY, Activity.READY),
        ({"type": "turn_started"}, Activity.ACTIVE),
        ({"type": "activity", "activity": "blocked"}, Activity.BLOCKED),
        ({"type": "waiting", "question": "Q?"}, Activity.WAITING_INPUT),
        ({"type": "turn_ended"}, Activity.READY),
        ({"type": "exit"}, Activity.EXITED),
    ],
)
def test_the_activity_is_the_last_one_told(
    path: Path, last: Mapping[str, Any], expected: Activity
) -> None:
    write(path, READY, {"type": "turn_started", "t": 5}, last)
    assert look(path).activity is expected


def test_since_is_when_the_activity_began_and_not_when_it_was_last_told(path: Path) -> None:
    write(
        path,
        READY,
        {"type": "turn_started", "t": 100},
        {"type": "activity", "activity": "active", "t": 200},
    )
    assert look(path).since == datetime.fromtimestamp(100, UTC)


def test_incident_14_a_question_waits_until_it_is_answered(path: Path) -> None:
    write(
        path,
        READY,
        {"type": "waiting", "question": "Which?"},
        {"type": "usage", "id": "m", "input": 1, "output": 1},
    )
    assert (look(path).activity, look(path).question) == (Activity.WAITING_INPUT, "Which?")
    write(path, {"type": "prompt", "answer": True, "text": "that one"})
    assert (look(path).activity, look(path).question) == (Activity.ACTIVE, None)


def test_turns_and_prompts_are_counted(path: Path) -> None:
    write(
        path,
        READY,
        {"type": "prompt"},
        {"type": "turn_ended"},
        {"type": "prompt"},
        {"type": "summary", "text": "Done."},
    )
    seen = look(path)
    assert (seen.turns, seen.prompts, seen.summary) == (1, 2, "Done.")


def test_incident_39_usage_counts_once_per_message(path: Path) -> None:
    used = {"type": "usage", "id": "m1", "input": 10, "output": 5, "cost": "0.10", "model": "m"}
    write(path, used, used, {**used, "output": 20, "cost": "0.30"}, {**used, "id": "m2"})
    assert look(path).usage == Usage(20, 25, Decimal("0.40"), "m")


def test_incident_38_usage_is_told_while_nothing_else_happens_and_over_many_looks(
    path: Path,
) -> None:
    cursor: Mapping[str, str] = {}
    for number in range(300):
        for _ in range(2):
            write(
                path,
                {"type": "usage", "id": f"m{number}", "input": 10, "output": 1, "cost": "0.01"},
            )
            state, cursor = go_on(LocalMachine(), path, cursor)
    assert state.seen(ALIVE, NOW).usage == Usage(3000, 300, Decimal("3.00"), None)
    assert len(cursor["state"]) < 10_000


def test_money_that_is_not_told_is_unknown_and_not_zero(path: Path) -> None:
    assert look(path).usage is None
    write(path, {"type": "usage", "id": "m", "input": 3, "output": 4, "cost": None})
    assert look(path).usage == Usage(3, 4, None, None)


def test_incident_25_an_earlier_start_does_not_make_the_present_one_ready(path: Path) -> None:
    write(path, READY, {"type": "turn_started"}, {"type": "summary", "text": "S"})
    seen = look(path, ProcessSeen(Presence.ALIVE, NOW, "test", pid=8))
    assert (seen.ready, seen.activity, seen.summary) == (False, None, "S")
    write(path, {"type": "ready", "pid": 8, "ppid": 1})
    assert look(path, ProcessSeen(Presence.ALIVE, NOW, "test", pid=8)).ready


def test_incident_10_a_process_nobody_can_see_keeps_what_it_said(path: Path) -> None:
    write(path, READY, {"type": "turn_started"})
    assert look(path, ALIVE.blind(NOW, "no tmux")).activity is Activity.ACTIVE


def test_half_a_line_waits_for_its_end(path: Path) -> None:
    write(path, READY)
    with path.open("a") as out:
        out.write('{"t": 2, "type": "turn_')
    first, cursor = go_on(LocalMachine(), path, {})
    assert first.seen(ALIVE, NOW).activity is Activity.READY
    with path.open("a") as out:
        out.write('started"}\n')
    assert go_on(LocalMachine(), path, cursor)[0].seen(ALIVE, NOW).activity is Activity.ACTIVE


def test_a_transcript_that_began_anew_is_read_from_its_beginning(path: Path) -> None:
    write(path, READY, *[{"type": "turn_ended"}] * 5)
    cursor = go_on(LocalMachine(), path, {})[1]
    path.unlink()
    write(path, READY, {"type": "turn_ended"})
    assert go_on(LocalMachine(), path, cursor)[0].seen(ALIVE, NOW).turns == 1


def test_what_was_taken_is_known_by_its_words_and_its_time(tmp_path: Path, path: Path) -> None:
    desk = AgentContext("s", "p", tmp_path, tmp_path, "c", AgentConfig(), machine=LocalMachine())
    agent = ScriptedAgent()
    assert agent.received(desk, "go", NOW) is Answer.NO
    write(path, {"type": "prompt", "text": "one\ntwo", "t": NOW.timestamp()})
    assert agent.received(desk, "one\r\ntwo\n", NOW) is Answer.YES
    assert agent.received(desk, "one", NOW) is Answer.NO
    assert agent.received(desk, "one\ntwo", datetime(2026, 3, 2, tzinfo=UTC)) is Answer.NO
    path.unlink()
    path.mkdir()
    assert agent.received(desk, "one", NOW) is Answer.UNKNOWN


KINDS = [
    "ready",
    "prompt",
    "turn_started",
    "activity",
    "waiting",
    "usage",
    "summary",
    "error",
    "turn_ended",
    "exit",
    "x",
]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
FIELDS = st.sampled_from(
    [
        "t",
        "pid",
        "ppid",
        "id",
        "text",
        "activity",
        "question",
        "input",
        "output",
        "cost",
        "model",
        "answer",
    ]
)
ENTRY = st.builds(
    lambda kind, fields: {"type": kind, "t": 1, **fields},
    st.sampled_from(KINDS),
    st.dictionaries(FIELDS, JSON),
)
LINE = (
    (JSON | ENTRY).map(lambda value: json.dumps(value).encode())
    | st.binary()
    | st.just(b"[" * 100_000)
)


@given(st.lists(LINE), st.integers(0, 200))
def test_no_transcript_whatever_breaks_it_and_two_looks_see_what_one_sees(
    lines: list[bytes], cut: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "transcript.jsonl"
        whole = b"\n".join(lines) + b"\n"
        path.write_bytes(whole)
        once = go_on(LocalMachine(), path, {})[0].seen(ALIVE, NOW)
        path.write_bytes(whole[:cut])
        cursor = go_on(LocalMachine(), path, {})[1]
        path.write_bytes(whole)
        assert go_on(LocalMachine(), path, cursor)[0].seen(ALIVE, NOW) == once


def test_its_plan_and_its_helpers_are_told_and_a_refusal_ends_with_the_next_turn(
    path: Path,
) -> None:
    until = 1_700_000_900.0
    used_up = {"type": "window", "name": "five_hour", "account": "me", "resets_at": until}
    week = {"type": "window", "name": "weekly", "used": 41, "resets_at": None}
    write(path, READY, week, {"type": "helpers", "count": 3}, {**used_up, "refused": True})
    seen = look(path)
    assert seen.helpers == 3
    assert [(w.name, w.account, w.used_percent, w.used_up) for w in seen.windows] == [
        ("five_hour", "me", 100, True),
        ("weekly", "", 41, False),
    ]
    assert seen.windows[0].resets_at == datetime.fromtimestamp(until, UTC)
    write(path, {"type": "turn_started", "t": 1_700_000_950.0})
    assert not any(window.used_up for window in look(path).windows)
