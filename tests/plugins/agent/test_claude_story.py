"""What claude-code's hooks and transcript mean, in lines as it writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.facts import AgentSeen, ProcessSeen, Sighting
from ennio.model import Activity
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import Desk
from ennio.plugins.runtime.interface import Key

NOW = datetime(2026, 3, 1, tzinfo=UTC)
T = NOW.timestamp()
CONVERSATION = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
BOX = "● Done.\n\n────────────\n❯ \n────────────\n  ⏸ manual mode on · ? for shortcuts\n"
WORKING = "✶ Nucleating… (2s)\n\n────────────\n❯ \n────────────\n  ⏸ manual mode on · esc to interrupt\n"


@dataclass
class Watched:
    """A session's folders, and the looks at it."""

    desk: Desk
    process: ProcessSeen
    cursor: dict[str, str]

    def hook(self, at: float, name: str, **more: Any) -> None:
        entry = {"t": T + at, "launch": "1", "hook_event_name": name, **more}
        with (self.desk.directory / "hooks.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def line(self, at: float, side: str = "", **entry: Any) -> None:
        folder = self.desk.home / ".claude" / "projects" / "-w"
        file = folder / CONVERSATION / "subagents" / f"{side}.jsonl" if side else folder / f"{CONVERSATION}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        stamp = (NOW + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        with file.open("a") as out:
            out.write(json.dumps({"timestamp": stamp, **entry}) + "\n")

    def answer(self, at: float, answer: str, given: int, made: int, side: str = "") -> None:
        usage = {"input_tokens": given, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0, "output_tokens": made}
        self.line(at, side, type="assistant", message={"id": answer, "model": "opus", "role": "assistant", "usage": usage})

    def look(self, screen: str | None = None, after: float = 0.0) -> AgentSeen:
        reading = ClaudeCode().observe(self.desk, self.cursor, self.process, screen, NOW + timedelta(seconds=after))
        self.cursor = dict(reading.cursor)
        return reading.seen


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    for folder in ("desk", "home", "w"):
        (tmp_path / folder).mkdir()
    desk = Desk("s-1", "p", tmp_path / "w", tmp_path / "desk", CONVERSATION, AgentConfig(), home=tmp_path / "home")
    return Watched(desk, ProcessSeen(Sighting.ALIVE, NOW, "test", pid=9, number=1), {})


def test_a_turn_from_prompt_to_last_word(watched: Watched) -> None:
    watched.hook(0, "SessionStart", source="startup")
    assert (watched.look().activity, watched.look().ready) == (Activity.READY, True)
    watched.hook(1, "UserPromptSubmit", prompt="go")
    watched.hook(2, "PreToolUse", tool_name="Bash", tool_input={"command": "ls"})
    assert watched.look().activity is Activity.ACTIVE
    watched.hook(3, "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    watched.hook(4, "Notification", notification_type="permission_prompt", message="needs your permission")
    asked = watched.look()
    assert asked.activity is Activity.WAITING_INPUT
    watched.hook(5, "PostToolUse", tool_name="Bash")
    assert watched.look().question is None
    watched.hook(6, "Stop", last_assistant_message="All is well.\nReally.")
    done = watched.look()
    assert (done.activity, done.turns, done.prompts, done.summary) == (Activity.READY, 1, 1, "All is well.")


def test_a_permission_is_asked_with_what_it_is_for(watched: Watched) -> None:
    watched.hook(3, "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    assert watched.look().question == "may it use Bash: rm -r build"
    watched.hook(4, "PreToolUse", tool_name="AskUserQuestion", tool_input={"questions": [{"question": "Red or blue?"}]})
    assert watched.look().question == "Red or blue?"


def test_reminders_that_it_is_idle_are_no_questions(watched: Watched) -> None:
    watched.hook(1, "Stop")
    watched.hook(61, "Notification", notification_type="idle_prompt", message="Claude is waiting for your input")
    assert watched.look().activity is Activity.READY


def test_incident_39_usage_that_is_repeated_over_lines_counts_once(watched: Watched) -> None:
    watched.answer(1, "m1", 10, 1)
    watched.answer(1, "m1", 10, 7)
    watched.look()
    watched.answer(1, "m1", 10, 7)
    watched.answer(2, "m2", 20, 5)
    watched.answer(3, "m3", 1, 1, side="agent-a")
    usage = watched.look().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.model, usage.cost_usd) == (110 + 120 + 101, 7 + 5 + 1, "opus", None)
    assert watched.look().usage == usage


def test_incident_13_escape_is_told_by_the_transcript_or_shown_by_the_screen(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    assert watched.look(WORKING, 2).activity is Activity.ACTIVE
    told = [{"type": "text", "text": "[Request interrupted by user for tool use]"}]
    watched.line(3, type="user", message={"role": "user", "content": told})
    assert watched.look(None, 3).activity is Activity.READY
    watched.hook(4, "UserPromptSubmit", prompt="again")
    assert watched.look(WORKING, 6).activity is Activity.ACTIVE
    assert watched.look(BOX, 7).activity is Activity.READY


def test_a_permission_that_a_person_gave_in_the_terminal_is_seen_before_the_tool_ends(watched: Watched) -> None:
    watched.hook(0, "PermissionRequest", tool_name="Bash", tool_input={"command": "make"})
    assert watched.look(WORKING, 5).activity is Activity.ACTIVE


def test_what_an_earlier_process_told_says_nothing_about_this_one(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.process = ProcessSeen(Sighting.ALIVE, NOW, "test", pid=10, number=2)
    seen = watched.look()
    assert (seen.activity, seen.ready, seen.prompts) == (None, False, 1)


def test_incident_11_an_api_in_trouble_is_blocked_and_not_ended(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    screen = "❯ go\n\n✻ 529 overloaded · retrying in 10s · attempt 5/10\n\n────────────\n❯ \n────────────\n  · esc to interrupt\n"
    seen = watched.look(screen, 5)
    assert (seen.activity, seen.detail) == (Activity.BLOCKED, "529 overloaded · retrying in 10s · attempt 5/10")


def test_words_are_received_when_a_hook_or_the_transcript_has_them(watched: Watched) -> None:
    agent = ClaudeCode()
    watched.hook(1, "UserPromptSubmit", prompt=" !fix it\r\nplease ")
    assert agent.received(watched.desk, "!fix it\nplease", NOW) is Sighting.ALIVE
    assert agent.received(watched.desk, "!fix it\nplease", NOW + timedelta(seconds=2)) is Sighting.GONE
    watched.line(3, type="user", message={"role": "user", "content": "by transcript alone"})
    assert agent.received(watched.desk, "by transcript alone", NOW) is Sighting.ALIVE


def test_incident_26_what_was_pasted_in_many_lines_is_known_again(watched: Watched) -> None:
    words = "one\ntwo\n\nfour\nfive"
    watched.hook(1, "UserPromptSubmit", prompt=f'\n\n<pasted_content id="99ad">\n{words}\n</pasted_content id="99ad">\n')
    assert ClaudeCode().received(watched.desk, words, NOW) is Sighting.ALIVE


def test_incident_30_what_escape_put_back_is_cleared_line_by_line() -> None:
    agent = ClaudeCode()
    assert agent.clearing("────────────\n❯ first\n  second\n  third\n────────────\n  ⏸ manual mode on\n") == (Key.CLEAR,) * 6
    assert agent.clearing(BOX) == ()


@pytest.mark.parametrize("words", ["!rm -r .", "/exit", "#remember", "& later"])
def test_incident_48_words_that_would_be_commands_of_its_terminal_are_typed_as_words(words: str) -> None:
    assert ClaudeCode().typed(words) == f" {words}"
    assert ClaudeCode().typed("words!") == "words!"


def test_a_list_in_a_prompt_is_no_dialog() -> None:
    history = "❯ 1. do this\n  2. and that\n\n● Done.\n\n────────────\n❯ \n────────────\n  ? for shortcuts\n"
    assert ClaudeCode().takes_text(history)


def test_a_dialog_is_told_with_its_choices_and_without_its_frame(watched: Watched) -> None:
    dialog = (
        "● A step\n  ⎿  $ make\n────────────────\n Bash command\n Tip: auto mode handles these\n╌╌╌╌╌╌╌╌╌╌\n make\n╌╌╌╌╌╌╌╌╌╌\n"
        " Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n"
    )
    seen = watched.look(dialog, 1)
    assert (seen.activity, seen.question) == (Activity.WAITING_INPUT, "Bash command make Do you want to proceed? [1. Yes / 2. No]")
