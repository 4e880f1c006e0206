"""What codex's rollout means, in lines as it writes them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.errors import Unreachable
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.plugins.agent.codex import Codex, rollout_id
from ennio.plugins.agent.interface import AgentContext

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REST = "• Done.\n\n› Ask Codex to do anything\n\n  gpt · /w\n"
WORKING = "• Working (2s • esc to interrupt)\n\n› Ask Codex to do anything\n\n  gpt · /w\n"
ASKING = (
    "◦ Running make\n\n\n  Would you like to run the following command?\n\n  Environment: local\n"
    "\n  Reason: May I?\n\n  $ make\n\n"
    "› 1. Yes, proceed (y)\n  2. No, and tell Codex what to do differently (esc)\n\n  Press enter "
    "to confirm or esc to cancel\n"
)
TROUBLE = (
    "◦ Reconnecting... 1/5 (3s • esc to interrupt)\n  └ high demand\n\n› Ask Codex to do anything\n"
)


@dataclass
class Watched:
    """A session's folders, and the looks at it."""

    desk: AgentContext
    process: ProcessSeen
    cursor: dict[str, str]
    name: str = "rollout-2026-03-01T00-00-00-aa.jsonl"

    def line(self, at: float, kind: str, **payload: Any) -> None:
        file = self.file(self.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        stamp = (NOW + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        with file.open("a") as out:
            out.write(json.dumps({"timestamp": stamp, "type": kind, "payload": payload}) + "\n")

    def event(self, at: float, name: str, **payload: Any) -> None:
        self.line(at, "event_msg", type=name, **payload)

    def file(self, name: str) -> Path:
        return self.desk.home / ".codex" / "sessions" / "2026" / "03" / "01" / name

    def counts(self, at: float, total: int, last: int) -> None:
        sums = {
            "total_token_usage": {"input_tokens": total, "output_tokens": 0},
            "last_token_usage": {"input_tokens": last},
        }
        self.event(at, "token_count", info=sums)

    def begin(self) -> None:
        self.line(0, "session_meta", id="conversation-1", cwd=str(self.desk.workspace))
        self.look()

    def told(self, after: float) -> tuple[RequestUsage, ...]:
        """The requests that a look tells of."""
        now = NOW + timedelta(seconds=after)
        reading = Codex().observe(self.desk, self.cursor, self.process, None, now)
        self.cursor = dict(reading.cursor)
        assert reading.requests is not None
        return tuple(reading.requests)

    def look(self, screen: str | None = None, after: float = 0.0) -> AgentSeen:
        reading = Codex().observe(
            self.desk, self.cursor, self.process, screen, NOW + timedelta(seconds=after)
        )
        self.cursor = dict(reading.cursor)
        return reading.seen


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    desk = AgentContext(
        "s-1",
        "p",
        tmp_path / "w",
        tmp_path / "desk",
        "c",
        AgentConfig(),
        home=tmp_path / "home",
        machine=LocalMachine(),
    )
    return Watched(desk, ProcessSeen(Presence.ALIVE, NOW, "test", pid=9, number=1), {})


def test_a_turn_from_its_start_to_its_last_word(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    watched.event(
        1,
        "item_completed",
        item={"type": "UserMessage", "content": [{"type": "text", "text": "go"}]},
    )
    assert watched.look().activity is Activity.ACTIVE
    watched.event(2, "task_complete", last_agent_message="All is well.\nReally.")
    done = watched.look()
    assert (done.activity, done.turns, done.prompts, done.summary) == (
        Activity.READY,
        1,
        1,
        "All is well.",
    )


def test_a_turn_that_an_error_ended_says_so(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    watched.event(
        2,
        "task_complete",
        last_agent_message=None,
        error={"message": "last status: 429 Too Many Requests"},
    )
    done = watched.look()
    assert (done.activity, done.detail, done.summary) == (
        Activity.READY,
        *("last status: 429 Too Many Requests",) * 2,
    )


def test_incident_13_escape_is_told_by_the_rollout(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    watched.event(2, "turn_aborted", reason="interrupted")
    assert watched.look().activity is Activity.READY


def test_dialogs_stand_on_the_screen_alone(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    seen = watched.look(ASKING, 3)
    assert seen.activity is Activity.WAITING_INPUT
    question = "Would you like to run the following command? Reason: May I? $ make"
    assert (
        seen.question
        == f"{question} [1. Yes, proceed (y) / 2. No, and tell Codex what to do differently (esc)]"
    )
    assert watched.look(WORKING, 5).activity is Activity.ACTIVE


def test_incident_11_an_api_in_trouble_is_blocked_and_not_ended(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    assert watched.look(TROUBLE, 5).activity is Activity.BLOCKED


def test_sums_are_cumulative_so_the_last_one_counts(watched: Watched) -> None:
    watched.begin()
    for given, made in ((100, 10), (250, 30)):
        watched.event(
            1,
            "token_count",
            info={"total_token_usage": {"input_tokens": given, "output_tokens": made}},
        )
    usage = watched.look().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (250, 30)
    assert watched.look().usage == usage


def test_another_workspaces_conversation_is_not_taken_for_this_one(watched: Watched) -> None:
    watched.name = "rollout-2026-03-01T09-00-00-bb.jsonl"
    watched.line(0, "session_meta", id="foreign", cwd="/elsewhere")
    watched.event(1, "task_started")
    assert watched.look().activity is None
    watched.name = "rollout-2026-03-01T09-00-01-cc.jsonl"
    watched.line(0, "session_meta", id="own", cwd=str(watched.desk.workspace))
    watched.look()
    watched.event(2, "task_started")
    assert watched.look().activity is Activity.ACTIVE


def test_a_rollout_whose_first_line_is_still_being_written_is_looked_at_again(
    watched: Watched,
) -> None:
    watched.begin()
    watched.cursor = {}
    folder = watched.desk.home / ".codex" / "sessions" / "2026" / "03" / "02"
    folder.mkdir(parents=True)
    own = folder / "rollout-2026-03-02T00-00-00-bb.jsonl"
    own.write_text('{"timestamp": "2026-03-02T00:00:00Z", "type": "session_me')
    (folder / "rollout-2026-03-02T00-00-01-cc.jsonl").write_text(
        '{"type": "session_meta", "payload": {"id": "x", "cwd": "/elsewhere"}}\n'
    )
    (watched.desk.home / ".codex" / "sessions" / "2026" / "03" / "01" / watched.name).unlink()
    assert watched.look().activity is None
    meta = {
        "timestamp": "2026-03-02T00:00:00Z",
        "type": "session_meta",
        "payload": {"id": "own", "cwd": str(watched.desk.workspace)},
    }
    begun = {
        "timestamp": "2026-03-02T00:00:01Z",
        "type": "event_msg",
        "payload": {"type": "task_started"},
    }
    own.write_text(f"{json.dumps(meta)}\n{json.dumps(begun)}\n")
    assert watched.look().activity is Activity.ACTIVE


def test_words_are_received_when_the_rollout_has_them(watched: Watched) -> None:
    watched.begin()
    watched.event(
        5,
        "item_completed",
        item={"type": "UserMessage", "content": [{"type": "text", "text": " !fix it"}]},
    )
    assert Codex().received(watched.desk, "!fix it", NOW) is Answer.YES
    assert Codex().received(watched.desk, "!fix it", NOW + timedelta(seconds=6)) is Answer.NO
    watched.event(7, "user_message", message="in the words of older versions")
    assert Codex().received(watched.desk, "in the words of older versions", NOW) is Answer.YES


def test_a_list_in_a_prompt_is_no_dialog() -> None:
    assert Codex().is_ready_for_text(
        "› 1. do this\n  2. and that\n\n• Done.\n\n› Ask Codex to do anything\n\n  gpt\n"
    )


def test_rest_and_work_are_seen_without_a_rollout(watched: Watched) -> None:
    assert watched.look(WORKING, 1).activity is Activity.ACTIVE
    assert watched.look(REST, 2).activity is Activity.READY


def test_a_rewind_goes_on_in_a_new_file_and_what_it_keeps_is_counted_once(watched: Watched) -> None:
    watched.begin()
    for total, last in ((1000, 1000), (2100, 1100), (3300, 1200)):
        watched.counts(1, total, last)
    watched.name = "rollout-2026-03-01T00-10-00-aa_bb.jsonl"
    watched.line(
        600,
        "session_meta",
        id="conversation-1",
        cwd=str(watched.desk.workspace),
        source="cli",
        thread_source="user",
    )
    watched.event(601, "task_started")
    watched.counts(602, 2300, 1300)  # the first answer, kept, and a new one
    seen = watched.look(None, 603)
    assert (seen.activity, seen.usage and seen.usage.input_tokens) == (Activity.ACTIVE, 3300 + 1300)
    watched.counts(603, 3700, 1400)
    seen = watched.look(None, 604)
    assert seen.usage is not None
    assert seen.usage.input_tokens == 3300 + 2700


def test_a_new_conversation_is_followed_and_an_old_one_that_goes_on_is_the_present_one(
    watched: Watched,
) -> None:
    watched.begin()
    watched.counts(1, 1000, 1000)
    first, watched.name = watched.name, "rollout-2026-03-01T00-10-00-cc.jsonl"
    watched.line(600, "session_meta", id="conversation-2", cwd=str(watched.desk.workspace))
    watched.counts(601, 1500, 1500)
    seen = watched.look(None, 602)
    assert seen.usage is not None
    assert seen.usage.input_tokens == 2500
    os.utime(watched.file(first), (1, 1))
    assert rollout_id(watched.desk) == "conversation-2"
    os.utime(watched.file(watched.name), (0, 0))
    assert rollout_id(watched.desk) == "conversation-1"


@pytest.mark.parametrize(
    "meta",
    [{"source": "exec"}, {"source": {"subagent": "review"}}, {"thread_source": "subagent"}],
    ids=str,
)
def test_the_conversations_of_helpers_and_of_commands_are_none_of_the_sessions(
    watched: Watched, meta: dict[str, object]
) -> None:
    watched.begin()
    watched.counts(1, 1000, 1000)
    watched.event(1, "task_complete", last_agent_message="done")
    watched.name = "rollout-2026-03-01T00-10-00-dd.jsonl"
    watched.line(600, "session_meta", id="other", cwd=str(watched.desk.workspace), **meta)
    watched.event(601, "task_started")
    watched.counts(602, 9000, 9000)
    seen = watched.look(None, 603)
    assert (seen.activity, seen.usage and seen.usage.input_tokens) == (Activity.READY, 1000)
    assert rollout_id(watched.desk) == "conversation-1"


def test_agents_that_it_began_are_counted_while_they_work(watched: Watched) -> None:
    watched.begin()
    watched.event(1, "task_started")
    main = watched.name
    for at, (name, meta) in enumerate(
        {"one": {"source": {"subagent": "review"}}, "two": {"thread_source": "subagent"}}.items()
    ):
        watched.name = f"rollout-2026-03-01T00-1{at}-00-{name}.jsonl"
        watched.line(600, "session_meta", id=name, cwd=str(watched.desk.workspace), **meta)
        watched.event(601, "task_started")
    assert watched.look(None, 602).helpers == 2
    watched.event(603, "task_complete", last_agent_message="looked")
    assert watched.look(None, 604).helpers == 1
    watched.name = main
    watched.event(605, "task_complete", last_agent_message="done")
    seen = watched.look(None, 606)
    assert (seen.activity, seen.helpers) == (Activity.READY, 1)
    assert "1 helper is at work" in seen.detail
    assert watched.look(None, 1300).helpers == 0, "one that died says so to nobody"


def test_what_agents_that_it_began_use_is_told_once_and_what_they_were_given_of_it_is_not_theirs(
    watched: Watched,
) -> None:
    watched.begin()
    limits = {"plan_type": "pro"}
    total = {"input_tokens": 90, "output_tokens": 9}
    watched.event(1, "token_count", info={"total_token_usage": total}, rate_limits=limits)
    watched.name, where = "rollout-2026-03-01T00-10-00-one.jsonl", str(watched.desk.workspace)
    watched.line(600, "session_meta", id="one", cwd=where, thread_source="subagent")
    watched.line(600, "turn_context", model="gpt-5-mini")
    watched.event(600, "thread_settings_applied", thread_settings={"service_tier": "flex"})
    for thread, given, read, wrote in (("aa", 90, 0, 0), ("one", 50, 20, 5), ("one", 60, 0, 0)):
        usage = {
            "input_tokens": given,
            "cached_input_tokens": read,
            "cache_write_input_tokens": wrote,
            "output_tokens": 7,
        }
        sums = {"input_tokens": 2 * given, "output_tokens": 14}
        watched.line(
            601, "token_usage_record", thread_id=thread, usage=usage, thread_token_usage=sums
        )
    own, *theirs = watched.told(602)
    assert (own.tokens.input, own.model) == (90, None)
    assert [one.tokens for one in theirs] == [Tokens(25, 7, 20, 5), Tokens(60, 7)]
    assert {(one.model, one.tier, one.billing) for one in theirs} == {
        ("gpt-5-mini", "flex", Billing.PLAN)
    }
    assert len({one.id for one in theirs}) == 2
    watched.process = replace(watched.process, pid=10, number=2)
    assert watched.told(603) == (), "another process of it tells nothing again"


def test_an_agent_of_an_earlier_life_is_no_helper_of_this_one(watched: Watched) -> None:
    watched.begin()
    main, watched.name = watched.name, "rollout-2026-03-01T00-10-00-old.jsonl"
    where = str(watched.desk.workspace)
    watched.line(1, "session_meta", id="old", cwd=where, thread_source="subagent")
    watched.event(2, "task_started")
    watched.name = main
    assert watched.look(None, 3).helpers == 1
    watched.process = replace(watched.process, pid=10, number=2)
    assert watched.look(None, 5).helpers == 0
    assert watched.look(None, 6).helpers == 0


def test_what_cannot_be_read_just_then_is_unknown_and_nothing_begins_anew(watched: Watched) -> None:
    sessions = watched.desk.home / ".codex" / "sessions"
    sessions.parent.mkdir(parents=True)
    sessions.symlink_to(sessions)  # as good as a disk that does not answer
    assert Codex().received(watched.desk, "words", NOW) is Answer.UNKNOWN
    assert watched.look(REST).activity is Activity.READY
    with pytest.raises(Unreachable):
        Codex().resume(watched.desk, None)
