"""What claude-code's hooks and transcript mean, in lines as it writes them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
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
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import AgentContext

NOW = datetime(2026, 3, 1, tzinfo=UTC)
T = NOW.timestamp()
CONVERSATION = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
BOX = "● Done.\n\n────────────\n❯ \n────────────\n  ⏸ manual mode on · ? for shortcuts\n"
DIALOG = (
    "────────────\n Bash command\n   touch q\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n "
    "Esc to cancel · Tab to amend\n"
)
WORKING = (
    "✶ Nucleating… (2s)\n\n────────────\n❯ \n────────────\n  ⏸ manual mode on · esc to interrupt\n"
)


@dataclass
class Watched:
    """A session's folders, and the looks at it."""

    desk: AgentContext
    process: ProcessSeen
    cursor: dict[str, str]
    conversation: str = CONVERSATION

    def counts(self, **totals: tuple[float, float]) -> None:
        """It tells what each conversation has cost so far, and when it told."""
        told = {name: {"total": total, "t": T + at} for name, (at, total) in totals.items()}
        (self.desk.directory / "cost.json").write_text(json.dumps({"conversations": told}))

    def hook(self, at: float, name: str, **more: Any) -> None:
        entry = {"t": T + at, "launch": "1", "hook_event_name": name, **more}
        with (self.desk.directory / "hooks.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def line(self, at: float, side: str = "", **entry: Any) -> None:
        folder = self.desk.home / ".claude" / "projects" / "-w"
        file = (
            folder / self.conversation / "subagents" / f"{side}.jsonl"
            if side
            else folder / f"{self.conversation}.jsonl"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        stamp = (NOW + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        with file.open("a") as out:
            out.write(json.dumps({"timestamp": stamp, **entry}) + "\n")

    def answer(self, at: float, answer: str, given: int, made: int, side: str = "") -> None:
        usage = {
            "input_tokens": given,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 0,
            "output_tokens": made,
        }
        self.line(
            at,
            side,
            type="assistant",
            message={"id": answer, "model": "opus", "role": "assistant", "usage": usage},
        )

    def look(self, screen: str | None = None, after: float = 0.0) -> AgentSeen:
        reading = ClaudeCode().observe(
            self.desk, self.cursor, self.process, screen, NOW + timedelta(seconds=after)
        )
        self.cursor = dict(reading.cursor)
        return reading.seen


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    for folder in ("desk", "home", "w"):
        (tmp_path / folder).mkdir()
    desk = AgentContext(
        "s-1",
        "p",
        tmp_path / "w",
        tmp_path / "desk",
        CONVERSATION,
        AgentConfig(),
        home=tmp_path / "home",
        machine=LocalMachine(),
    )
    return Watched(desk, ProcessSeen(Presence.ALIVE, NOW, "test", pid=9, number=1), {})


def test_a_turn_from_prompt_to_last_word(watched: Watched) -> None:
    watched.hook(0, "SessionStart", source="startup")
    assert (watched.look().activity, watched.look().ready) == (Activity.READY, True)
    watched.hook(1, "UserPromptSubmit", prompt="go")
    watched.hook(2, "PreToolUse", tool_name="Bash", tool_input={"command": "ls"})
    assert watched.look().activity is Activity.ACTIVE
    watched.hook(3, "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    watched.hook(
        4, "Notification", notification_type="permission_prompt", message="needs your permission"
    )
    asked = watched.look()
    assert asked.activity is Activity.WAITING_INPUT
    watched.hook(5, "PostToolUse", tool_name="Bash")
    assert watched.look().question is None
    watched.hook(6, "Stop", last_assistant_message="All is well.\nReally.")
    done = watched.look()
    assert (done.activity, done.turns, done.prompts, done.summary) == (
        Activity.READY,
        1,
        1,
        "All is well.",
    )


def test_a_permission_is_asked_with_what_it_is_for(watched: Watched) -> None:
    watched.hook(3, "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    assert watched.look().question == "may it use Bash: rm -r build"
    watched.hook(
        4,
        "PreToolUse",
        tool_name="AskUserQuestion",
        tool_input={"questions": [{"question": "Red or blue?"}]},
    )
    assert watched.look().question == "Red or blue?"


def test_reminders_that_it_is_idle_are_no_questions(watched: Watched) -> None:
    watched.hook(1, "Stop")
    watched.hook(
        61,
        "Notification",
        notification_type="idle_prompt",
        message="Claude is waiting for your input",
    )
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
    assert (usage.input_tokens, usage.output_tokens, usage.model, usage.cost_usd) == (
        110 + 120 + 101,
        7 + 5 + 1,
        "opus",
        None,
    )
    assert watched.look().usage == usage


def test_incident_13_escape_is_told_by_the_transcript_or_shown_by_the_screen(
    watched: Watched,
) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    assert watched.look(WORKING, 2).activity is Activity.ACTIVE
    told = [{"type": "text", "text": "[Request interrupted by user for tool use]"}]
    watched.line(3, type="user", message={"role": "user", "content": told})
    assert watched.look(None, 3).activity is Activity.READY
    watched.hook(4, "UserPromptSubmit", prompt="again")
    assert watched.look(WORKING, 6).activity is Activity.ACTIVE
    assert watched.look(BOX, 7).activity is Activity.READY


def test_a_permission_that_a_person_gave_in_the_terminal_is_seen_before_the_tool_ends(
    watched: Watched,
) -> None:
    watched.hook(0, "PermissionRequest", tool_name="Bash", tool_input={"command": "make"})
    assert watched.look(WORKING, 5).activity is Activity.ACTIVE


def test_what_an_earlier_process_told_says_nothing_about_this_one(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.process = ProcessSeen(Presence.ALIVE, NOW, "test", pid=10, number=2)
    seen = watched.look()
    assert (seen.activity, seen.ready, seen.prompts) == (None, False, 1)


def test_incident_11_an_api_in_trouble_is_blocked_and_not_ended(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    screen = (
        "❯ go\n\n✻ 529 overloaded · retrying in 10s · attempt 5/10\n\n────────────\n❯ \n"
        "────────────\n  · esc to interrupt\n"
    )
    seen = watched.look(screen, 5)
    assert (seen.activity, seen.detail) == (
        Activity.BLOCKED,
        "529 overloaded · retrying in 10s · attempt 5/10",
    )


def test_words_are_received_when_a_hook_or_the_transcript_has_them(watched: Watched) -> None:
    agent = ClaudeCode()
    watched.hook(1, "UserPromptSubmit", prompt=" !fix it\r\nplease ")
    assert agent.received(watched.desk, "!fix it\nplease", NOW) is Answer.YES
    assert agent.received(watched.desk, "!fix it\nplease", NOW + timedelta(seconds=2)) is Answer.NO
    watched.line(3, type="user", message={"role": "user", "content": "by transcript alone"})
    assert agent.received(watched.desk, "by transcript alone", NOW) is Answer.YES


def test_incident_26_what_was_pasted_in_many_lines_is_known_again(watched: Watched) -> None:
    words = "one\ntwo\n\nfour\nfive"
    watched.hook(
        1,
        "UserPromptSubmit",
        prompt=f'\n\n<pasted_content id="99ad">\n{words}\n</pasted_content id="99ad">\n',
    )
    assert ClaudeCode().received(watched.desk, words, NOW) is Answer.YES


@pytest.mark.parametrize("words", ["!rm -r .", "#remember", "& later"])
def test_incident_48_words_that_would_be_commands_of_its_terminal_are_typed_as_words(
    words: str,
) -> None:
    assert ClaudeCode().typed(words) == f" {words}"
    assert ClaudeCode().typed("words!") == "words!"


@pytest.mark.parametrize(
    "words", ["/exit", "  /clear", "\n/compact", "exit", " quit\n", ":q", "EXIT"]
)
def test_words_that_its_terminal_acts_upon_even_behind_a_blank_stand_in_a_frame(words: str) -> None:
    assert ClaudeCode().typed(words) == f"Message: {words}"
    assert ClaudeCode().typed("exit now") == "exit now"


@pytest.mark.parametrize("words", ["ends with \\", "look at @README.md", "@"])
def test_a_last_word_that_enter_would_not_send_has_a_blank_after_it(words: str) -> None:
    assert ClaudeCode().typed(words) == f"{words} "


def test_a_list_in_a_prompt_is_no_dialog() -> None:
    history = (
        "❯ 1. do this\n  2. and that\n\n● Done.\n\n────────────\n❯ \n────────────\n  ? for "
        "shortcuts\n"
    )
    assert ClaudeCode().is_ready_for_text(history)


def test_a_dialog_is_told_with_its_choices_and_without_its_frame(watched: Watched) -> None:
    dialog = (
        "● A step\n  ⎿  $ make\n────────────────\n Bash command\n Tip: auto mode handles these\n"
        "╌╌╌╌╌╌╌╌╌╌\n make\n╌╌╌╌╌╌╌╌╌╌\n"
        " Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n"
    )
    seen = watched.look(dialog, 1)
    assert (seen.activity, seen.question) == (
        Activity.WAITING_INPUT,
        "Bash command make Do you want to proceed? [1. Yes / 2. No]",
    )


ASK = {"tool_name": "Bash", "tool_input": {"command": "touch q"}}


def test_a_question_stays_whatever_a_helper_does(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.hook(1, "SubagentStart", agent_id="h")
    watched.hook(2, "PermissionRequest", **ASK)
    for at in range(3, 20):
        name = ("PreToolUse", "PostToolUse", "PostToolUseFailure")[at % 3]
        watched.hook(at, name, agent_id="h", tool_name="Bash", tool_input={"command": f"make {at}"})
        seen = watched.look()
        assert (seen.activity, seen.question, seen.helpers) == (
            Activity.WAITING_INPUT,
            "may it use Bash: touch q",
            1,
        )
    watched.hook(20, "SubagentStop", agent_id="h")
    assert watched.look().activity is Activity.WAITING_INPUT
    watched.hook(21, "PostToolUse", **ASK)
    assert (watched.look().activity, watched.look().helpers) == (Activity.ACTIVE, 0)


def test_a_question_stays_while_another_tool_of_the_same_answer_runs(watched: Watched) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.hook(1, "PermissionRequest", **ASK)
    watched.hook(1.5, "PostToolUse", tool_name="Read", tool_input={"file_path": "a"})
    assert watched.look().activity is Activity.WAITING_INPUT
    watched.look(DIALOG, 3)
    watched.hook(4, "PostToolUse", tool_name="Read", tool_input={"file_path": "b"})
    assert watched.look(DIALOG, 4).activity is Activity.WAITING_INPUT
    # refused: no hook tells of it, the screen does
    watched.look(WORKING, 6)
    watched.hook(7, "PreToolUse", tool_name="Read", tool_input={"file_path": "c"})
    assert watched.look(WORKING, 7).activity is Activity.ACTIVE


def test_of_two_permissions_the_one_on_the_screen_is_told(watched: Watched) -> None:
    watched.hook(1, "PermissionRequest", **ASK)
    watched.hook(1.1, "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    assert watched.look(DIALOG, 2).question == "may it use Bash: touch q [1. Yes / 2. No]"
    watched.hook(3, "PostToolUse", **ASK)
    seen = watched.look(DIALOG.replace("touch q", "rm -r build"), 3)
    assert (seen.activity, seen.question) == (
        Activity.WAITING_INPUT,
        "may it use Bash: rm -r build [1. Yes / 2. No]",
    )


def test_a_helpers_question_is_asked_while_the_agent_rests(watched: Watched) -> None:
    watched.hook(
        0,
        "Stop",
        background_tasks=[
            {"id": "h", "type": "subagent", "status": "running", "description": "looks"}
        ],
    )
    watched.hook(1, "PermissionRequest", agent_id="h", **ASK)
    assert (watched.look().activity, watched.look().question) == (
        Activity.WAITING_INPUT,
        "may it use Bash: touch q",
    )
    watched.hook(2, "PostToolUse", agent_id="h", **ASK)
    assert watched.look().activity is Activity.READY


def test_a_turn_that_is_over_with_a_helper_at_work_is_told_in_words(watched: Watched) -> None:
    helper = {"id": "h", "type": "subagent", "status": "running", "description": "looks"}
    tasks = [helper, {"id": "s", "type": "shell", "status": "running"}]
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.hook(1, "Stop", background_tasks=tasks)
    watched.hook(2, "PreToolUse", agent_id="h", tool_name="Bash")
    seen = watched.look()
    assert (seen.activity, seen.detail) == (
        Activity.READY,
        "its turn is over, 1 helper is at work: looks",
    )
    notice = (
        "<task-notification>\n<task-id>h</task-id>\n<status>completed</status>\n"
        "</task-notification>"
    )
    watched.hook(3, "SubagentStop", agent_id="h", background_tasks=tasks)
    watched.hook(3, "UserPromptSubmit", prompt=notice)
    assert (watched.look().activity, watched.look().helpers) == (Activity.ACTIVE, 0)
    watched.hook(4, "Stop", background_tasks=[])
    done = watched.look()
    assert (done.activity, done.detail, done.prompts, done.turns) == (Activity.READY, "", 1, 2)


def test_helpers_that_were_waited_for_end_with_the_turn_that_a_person_stopped(
    watched: Watched,
) -> None:
    watched.hook(0, "UserPromptSubmit", prompt="go")
    watched.hook(1, "SubagentStart", agent_id="h")
    assert watched.look().helpers == 1
    watched.line(
        2, type="user", message={"role": "user", "content": "[Request interrupted by user]"}
    )
    assert (watched.look().activity, watched.look().helpers) == (Activity.READY, 0)
    watched.hook(3, "PreToolUse", agent_id="in the background", tool_name="Bash")
    assert watched.look().helpers == 1


def test_a_plan_is_asked_whole(watched: Watched) -> None:
    watched.hook(
        0,
        "PermissionRequest",
        tool_name="ExitPlanMode",
        tool_input={"plan": "# The plan\n1. this\n2. that"},
    )
    assert watched.look().question == "may it go on with this plan: # The plan\n1. this\n2. that"


def test_each_question_of_a_form_is_told_with_its_choices(watched: Watched) -> None:
    colours = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}
    fruits = {"question": "Which fruits?", "multiSelect": True, "options": [{"label": "Fig"}]}
    watched.hook(
        0, "PreToolUse", tool_name="AskUserQuestion", tool_input={"questions": [colours, fruits]}
    )
    watched.hook(
        0.1,
        "PermissionRequest",
        tool_name="AskUserQuestion",
        tool_input={"questions": [colours, fruits]},
    )
    assert (
        watched.look().question
        == "(1 of 2) Which colour? [1. Red / 2. Blue] (2 of 2) Which fruits? any of [1. Fig]"
    )
    head = "────────────\n←  ☒ Colour  ☐ Fruits  ✔ Submit  →\n\n"
    form = f"{head}Which fruits?\n\n❯ 1. [ ] Fig\n     Submit\n\nEnter to select · Esc to cancel\n"
    assert watched.look(form, 1).question == "(2 of 2) Which fruits? [1. [ ] Fig]"


def test_after_a_clear_the_new_conversation_is_the_one_that_is_read_and_resumed(
    watched: Watched,
) -> None:
    watched.hook(0, "SessionStart", session_id=CONVERSATION)
    watched.answer(1, "m1", 10, 1)
    watched.counts(**{CONVERSATION: (2, 0.05)})
    watched.look()
    watched.hook(3, "SessionEnd", session_id=CONVERSATION, reason="clear")
    watched.hook(3.1, "SessionStart", session_id="next", source="clear")
    watched.hook(3.2, "SubagentStart", session_id="next", agent_id="h")
    watched.conversation = "next"
    watched.answer(4, "m2", 20, 5)
    watched.answer(5, "m3", 1, 1, side="agent-h")
    watched.counts(**{CONVERSATION: (2, 0.05), "next": (6, 0.02)})
    usage = watched.look().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (
        110 + 120 + 101,
        1 + 5 + 1,
        Decimal("0.07"),
    )
    command = ClaudeCode().resume(watched.desk, None)
    assert command.argv[1:3] == ("--resume", "next")
    # the next process goes on counting where this one stopped
    watched.hook(7, "SessionStart", session_id="next", source="resume")
    watched.counts(**{CONVERSATION: (2, 0.05), "next": (8, 0.03)})
    usage = watched.look().usage
    assert usage is not None
    assert usage.cost_usd == Decimal("0.08")


def test_what_a_conversation_held_before_it_was_the_sessions_is_not_the_sessions(
    watched: Watched,
) -> None:
    watched.hook(0, "SessionStart", session_id=CONVERSATION)
    watched.answer(1, "m1", 10, 1)
    watched.conversation = "another"
    watched.answer(-500, "m0", 5000, 5000)
    watched.hook(9, "SessionStart", session_id="another", source="resume")
    watched.answer(10, "m2", 20, 5)
    usage = watched.look().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (110 + 120, 1 + 5)


def test_without_hooks_the_newest_transcript_of_the_workspace_is_the_conversation(
    watched: Watched,
) -> None:
    watched.answer(1, "m1", 10, 1)
    watched.look()
    os.utime(watched.desk.home / ".claude" / "projects" / "-w" / f"{CONVERSATION}.jsonl", (1, 1))
    watched.conversation = "next"
    watched.answer(4, "m2", 20, 5)
    usage = watched.look().usage
    assert usage is not None
    assert usage.input_tokens == 110 + 120
    assert ClaudeCode().resume(watched.desk, None).argv[1:3] == ("--resume", "next")


def test_a_conversation_that_a_person_began_anew_is_not_told_of_the_old_one(
    watched: Watched,
) -> None:
    assert not ClaudeCode().remembers(watched.desk)
    watched.hook(0, "SessionStart", session_id=CONVERSATION)
    assert not ClaudeCode().remembers(watched.desk)
    watched.hook(9, "SessionStart", session_id="another", source="clear")
    assert ClaudeCode().remembers(watched.desk)


def test_money_that_nobody_knows_is_none(watched: Watched) -> None:
    watched.answer(5, "m1", 1000, 10)
    watched.counts(**{CONVERSATION: (0, 0)})  # and from then on its folder cannot be written
    usage = watched.look().usage
    assert usage is not None
    assert usage.cost_usd is None


def test_money_goes_on_while_a_question_hides_its_count(watched: Watched) -> None:
    watched.answer(1, "m1", 900, 200)
    watched.counts(**{CONVERSATION: (1.5, 0.0191)})
    watched.hook(2, "PermissionRequest", **ASK)
    for at in (10, 20):
        watched.answer(at, f"h{at}", 900, 200, side="agent-h")
    usage = watched.look().usage
    assert usage is not None
    assert usage.cost_usd == Decimal("0.0573")
    watched.counts(**{CONVERSATION: (30, 0.06)})
    usage = watched.look().usage
    assert usage is not None
    assert usage.cost_usd == Decimal("0.06")


def test_a_transcript_that_was_written_anew_is_counted_once(watched: Watched) -> None:
    for number in range(100):
        watched.answer(number, f"m{number}", 10, 1)
    first = watched.look().usage
    (file,) = (watched.desk.home / ".claude").rglob("*.jsonl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[50:]) + "\n")
    assert watched.look().usage == first
    watched.answer(200, "next", 10, 1)
    usage = watched.look().usage
    assert usage is not None
    assert usage.input_tokens == 101 * 110


def test_what_cannot_be_read_just_then_is_unknown_and_nothing_begins_anew(watched: Watched) -> None:
    projects = watched.desk.home / ".claude" / "projects"
    projects.parent.mkdir()
    projects.symlink_to(projects)  # as good as a disk that does not answer
    assert ClaudeCode().received(watched.desk, "words", NOW) is Answer.UNKNOWN
    assert watched.look(BOX).activity is Activity.READY
    with pytest.raises(Unreachable):
        ClaudeCode().resume(watched.desk, None)
