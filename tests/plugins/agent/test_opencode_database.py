"""What opencode's database tells, read on from where the last look ended."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.errors import Unreachable
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import opencode_database
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode import OpenCode

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = """
CREATE TABLE session (id, directory, parent_id, time_updated);
CREATE TABLE message (id PRIMARY KEY, session_id, time_created, time_updated, data);
CREATE TABLE part (message_id, session_id, time_created, data);
"""


class Watched:
    def __init__(self, folder: Path) -> None:
        self.desk = AgentContext(
            "s",
            "p",
            folder / "work",
            folder,
            "c",
            AgentConfig(),
            home=folder,
            machine=LocalMachine(),
        )
        file = opencode_database.database(self.desk)
        file.parent.mkdir(parents=True)
        self.base = sqlite3.connect(file)
        self.base.execute("PRAGMA synchronous = OFF")  # hundreds of messages, and no power cut
        self.base.executescript(TABLES)
        here = str(self.desk.workspace)
        for row in (
            ("other", "/elsewhere", None, 9),
            ("own", here, None, 1),
            ("side", here, "own", 2),
        ):
            self.run("INSERT INTO session VALUES (?, ?, ?, ?)", *row)
        self.cursor: dict[str, str] = {}

    def run(self, words: str, *values: object) -> None:
        self.base.execute(words, values)
        self.base.commit()

    def message(
        self, name: str, second: float, role: str = "assistant", session: str = "own", **data: Any
    ) -> None:
        at = int((NOW.timestamp() + second) * 1000)
        time = {
            "created": at,
            **({"completed": at + data.pop("took", 0)} if data.pop("done", False) else {}),
        }
        told = json.dumps({"role": role, "time": time, **data})
        self.run(
            "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", name, session, at, at, told
        )

    def look(self, second: float, screen: str | None = None) -> AgentSeen:
        now = NOW + timedelta(seconds=second)
        reading = OpenCode().observe(
            self.desk,
            self.cursor,
            ProcessSeen(Presence.ALIVE, now, "test", pid=1, number=1),
            screen,
            now,
        )
        self.cursor, self.reading = dict(reading.cursor), reading
        return reading.seen


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return Watched(tmp_path)


def tokens(given: int, made: int) -> dict[str, Any]:
    return {"input": given, "output": made, "reasoning": 1, "cache": {"read": 10, "write": 5}}


def test_a_turn_is_told_from_its_prompt_to_its_last_answer(watched: Watched) -> None:
    assert watched.look(0).activity is None
    watched.message("m1", 1, role="user")
    assert watched.look(1.5).activity is Activity.ACTIVE
    watched.message("m2", 2, done=True, finish="tool-calls", tokens=tokens(100, 5))
    assert watched.look(2.5).activity is Activity.ACTIVE
    watched.message("m3", 3, done=True, finish="stop", tokens=tokens(100, 5))
    seen = watched.look(3.5)
    assert (seen.activity, seen.turns, seen.prompts) == (Activity.READY, 1, 1)


def test_a_turn_that_a_refused_tool_ended_rests_as_soon_as_the_screen_does(
    watched: Watched,
) -> None:
    watched.message("m1", 1, done=True, took=8000, finish="tool-calls", tokens=tokens(100, 5))
    assert watched.look(9.1).activity is Activity.ACTIVE
    assert (
        watched.look(9.3, "┃\n  Build · scripted\n  ctrl+p commands\n").activity is Activity.READY
    )


WORKS = "┃\n  Build · scripted\n  ⬝⬝ esc interrupt   ctrl+p commands\n"


def test_a_turn_is_over_with_the_models_last_word_and_not_when_opencode_has_tidied_up(
    watched: Watched,
) -> None:
    watched.message("m1", 1, finish="tool-calls")
    assert watched.look(1.5, WORKS).activity is Activity.ACTIVE
    watched.message("m2", 3, finish="stop", tokens=tokens(100, 5))
    assert [watched.look(second, WORKS).activity for second in (3.2, 5, 8, 11)] == [
        Activity.READY
    ] * 4
    watched.message("m2", 12, done=True, finish="stop", tokens=tokens(100, 5))
    seen = watched.look(12.2, WORKS)
    assert (seen.activity, seen.turns) == (Activity.READY, 1)


def test_what_a_person_begins_while_opencode_tidies_up_is_work(watched: Watched) -> None:
    watched.message("m1", 1, done=True, finish="stop")
    assert watched.look(2.5, WORKS).activity is Activity.READY
    watched.message("m2", 3, role="user")
    assert watched.look(3.2, WORKS).activity is Activity.ACTIVE


def test_work_that_its_screen_goes_on_to_show_long_after_a_turn_is_believed(
    watched: Watched,
) -> None:
    watched.message("m1", 1, done=True, finish="stop")
    watched.look(2.5, WORKS)
    until = watched.reading.until
    assert until is not None
    assert until == NOW + timedelta(seconds=21)
    assert watched.look((until - NOW).total_seconds(), WORKS).activity is Activity.ACTIVE


def test_incident_39_an_answer_that_grows_is_counted_once_and_side_conversations_are_paid_for(
    watched: Watched,
) -> None:
    watched.message("m1", 1, tokens=tokens(0, 0), cost=0)
    watched.look(1)
    for second in (2, 3):
        watched.message("m1", second, done=True, finish="stop", tokens=tokens(100, 5), cost=0.5)
        watched.look(second)
    watched.message("s1", 4, session="side", done=True, tokens=tokens(1, 1), cost=0.25)
    watched.message("x1", 4, session="other", done=True, tokens=tokens(7000, 1), cost=7)
    for _ in range(3):
        seen = watched.look(4)
    assert seen.usage is not None
    assert (seen.usage.input_tokens, seen.usage.output_tokens, seen.usage.cost_usd) == (
        115 + 16,
        6 + 2,
        Decimal("0.75"),
    )
    assert seen.activity is Activity.READY


def test_a_broken_off_answer_ends_the_turn_and_says_why(watched: Watched) -> None:
    watched.message(
        "m1", 1, done=True, error={"name": "MessageAbortedError", "data": {"message": "aborted"}}
    )
    seen = watched.look(1.5)
    assert (seen.activity, seen.detail) == (Activity.READY, "aborted")


def test_a_permission_is_told_with_what_it_is_for(watched: Watched) -> None:
    watched.message("m1", 1)
    beside = " " * 40 + "/w:main"
    asks = f"  ┃  △ Permission required\n  ┃    # Shell command\n  ┃\n  ┃  $ touch x\n  ┃{beside}\n"
    screen = f"{asks}  ┃   Allow once   Allow always   Reject    enter confirm\n"
    seen = watched.look(5, screen)
    assert seen.activity is Activity.WAITING_INPUT
    assert (
        seen.question
        == "Permission required: Shell command $ touch x [Allow once / Allow always / Reject]"
    )


def test_a_database_that_did_not_change_is_not_opened(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.message("m1", 1, role="user")
    watched.look(1)
    monkeypatch.setattr(opencode_database, "_ask", lambda *_: pytest.fail("it was opened"))
    assert watched.look(2).activity is Activity.ACTIVE


def test_words_are_received_once_the_database_has_them(watched: Watched) -> None:
    at = int(NOW.timestamp() * 1000)
    watched.run(
        "INSERT INTO part VALUES ('m1', 'own', ?, ?)",
        at,
        json.dumps({"type": "text", "text": "go on"}),
    )
    assert OpenCode().received(watched.desk, "go on", NOW) is Answer.YES
    assert OpenCode().received(watched.desk, "go on", NOW + timedelta(seconds=1)) is Answer.NO
    assert OpenCode().received(watched.desk, "stop", NOW) is Answer.NO


def test_a_new_conversation_is_followed_and_the_old_one_stays_paid_for(watched: Watched) -> None:
    watched.message("m1", 1, done=True, finish="stop", tokens=tokens(100, 5), cost=0.25)
    watched.look(2)
    watched.run("INSERT INTO session VALUES ('next', ?, NULL, 10)", str(watched.desk.workspace))
    watched.message("m2", 10, session="next", role="user")
    assert watched.look(11).activity is Activity.ACTIVE
    watched.message(
        "m3", 12, session="next", done=True, finish="stop", tokens=tokens(200, 5), cost=0.5
    )
    seen = watched.look(13)
    assert seen.activity is Activity.READY
    assert seen.usage is not None
    assert (seen.usage.input_tokens, seen.usage.cost_usd) == (330, Decimal("0.75"))
    assert "next" in OpenCode().resume(watched.desk, None).argv


def test_what_many_messages_cost_is_one_sum(watched: Watched) -> None:
    for number in range(200):
        watched.message(
            f"m{number}", number, done=True, finish="stop", tokens=tokens(1, 1), cost=0.01
        )
        if number % 7 == 0:
            watched.look(number + 0.5)
    usage = watched.look(300).usage
    assert usage is not None
    assert usage.cost_usd == Decimal("2.00")
    assert len(json.loads(watched.cursor["costs"])) < 100


def test_what_cannot_be_read_just_then_is_unknown_and_nothing_begins_anew(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    database = opencode_database.database(watched.desk)
    database.unlink()
    database.symlink_to(database)  # as good as a disk that does not answer
    assert OpenCode().received(watched.desk, "words", NOW) is Answer.UNKNOWN
    assert watched.look(1, "Ask anything").activity is Activity.READY
    with pytest.raises(Unreachable):
        OpenCode().resume(watched.desk, None)
