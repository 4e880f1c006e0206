"""What the screens of agents tell: a place to type, a question, work going on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.errors import ConfigError
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.screen_state import ScreenState, read_screen
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.runtime.interface import View

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DESK = AgentContext("s", "p", Path("/w"), Path("/d"), "c", AgentConfig(), machine=LocalMachine())

FREE = [
    (
        ClaudeCode(),
        "● Done. Do you want me to go on?\n\n────────\n❯ \n────────\n  ? for shortcuts\n",
    ),
    (ClaudeCode(), '╭──────╮\n│ > Try "fix lint errors" │\n╰──────╯\n'),
    (Codex(), "• Done.\n\n› Ask Codex to do anything\n\n  gpt-5 · 98% left\n"),
    (Aider(), "Aider v0.86.2\nModel: x with diff edit format\n─────────\ndiff> \n"),
    (Aider(), "> \n\n\n"),
    (OpenCode(), '┃ Ask anything... "Fix a TODO"\n┃\n  Build  opus\n  ctrl+p commands\n'),
    (ScriptedAgent(), "Ready. Type a prompt\n> "),
]
TAKEN = [
    (
        ClaudeCode(),
        (
            "Do you want to make this edit to a.py?\n❯ 1. Yes\n  2. No, and tell Claude what to "
            "do\n\n"
            "Esc to cancel\n"
        ),
    ),
    (
        ClaudeCode(),
        (
            "Do you trust the files in this folder?\n\n❯ 1. Yes, proceed\n  2. No, exit\n\nEnter "
            "to "
            "confirm · Esc to exit\n"
        ),
    ),
    (ClaudeCode(), "✻ Thinking… (3s · esc to interrupt)\n\n❯ \n"),
    (ClaudeCode(), ""),
    (
        Codex(),
        "Allow command?\n› 1. Yes, proceed\n  2. No\n\nPress enter to confirm or esc to cancel\n",
    ),
    (Codex(), "• Working (2s • esc to interrupt)\n\n› next thing\n"),
    (Aider(), "Create new file? (Y)es/(N)o [Yes]: \n"),
    (Aider(), "Aider v0.86.2\n"),
    (OpenCode(), "Permission required\n  Allow once   Allow always   Reject\n  ctrl+p commands\n"),
    (OpenCode(), "┃ Ask anything\n  esc interrupt\n"),
    (ScriptedAgent(), "? Which colour?\n  1. red\n"),
    (ScriptedAgent(), "> old\nworking (esc to interrupt)\n"),
]


@pytest.mark.parametrize(("agent", "screen"), FREE)
def test_a_place_to_type_is_seen(agent: ScreenAgent, screen: str) -> None:
    assert agent.is_ready_for_text(screen)


@pytest.mark.parametrize(("agent", "screen"), TAKEN)
def test_incident_27_no_text_goes_into_a_question_or_a_start_page(
    agent: ScreenAgent, screen: str
) -> None:
    assert not agent.is_ready_for_text(screen)


def seen(presence: Presence = Presence.ALIVE, pid: int = 1) -> ProcessSeen:
    return ProcessSeen(presence, NOW, "test", pid=pid)


def test_incident_25_ready_is_once_its_screen_shows_it_and_then_stays() -> None:
    agent = ClaudeCode()
    start = agent.observe(DESK, {}, seen(), "Loading", NOW)
    assert not start.seen.ready
    up = agent.observe(DESK, start.cursor, seen(), "❯ \n", NOW)
    assert up.seen.ready
    assert agent.observe(DESK, up.cursor, seen(), "lots of output", NOW).seen.ready
    assert agent.observe(DESK, up.cursor, seen(), None, NOW).seen.ready


def test_a_new_start_is_not_ready_because_the_last_one_was() -> None:
    assert not ClaudeCode().observe(DESK, {"ready": "1"}, seen(pid=2), "Loading", NOW).seen.ready


def test_who_works_already_has_begun_with_the_prompt() -> None:
    assert (
        ClaudeCode().observe(DESK, {}, seen(), "✻ Thinking… (esc to interrupt)\n", NOW).seen.ready
    )


def test_a_command_that_is_not_interactive_is_never_typed_to() -> None:
    one_shot = CommandAgent(AgentConfig(passthrough={"argv": ["cat"]}))
    assert one_shot.one_shot
    assert not one_shot.is_ready_for_text("$ ")
    chat = CommandAgent(
        AgentConfig(passthrough={"argv": ["cat"], "interactive": True, "ready": "^you:"})
    )
    assert not chat.one_shot
    assert not chat.launch(DESK, "hello").carries
    assert chat.is_ready_for_text("bot: hi\nyou:")
    assert not chat.is_ready_for_text("bot: one moment")


def test_words_beside_a_script_are_its_arguments_and_safe() -> None:
    argv = ["bash", "-c", 'agent "$1"', "agent", "{prompt}"]
    assert (
        CommandAgent(AgentConfig(passthrough={"argv": argv})).launch(DESK, "$(x)").argv[-1]
        == "$(x)"
    )


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "needs `argv"),
        ({"argv": "ls"}, "must be a list"),
        ({"argv": []}, "must be a list"),
        ({"argv": ["a"], "run": "b"}, "keep one"),
        ({"run": 3}, "run: `3` is a number to YAML: write it in quotes"),
        ({"run": "agent {prompt}"}, "in a script for a shell would be run by it"),
        (
            {"argv": ["env", "X=1", "/bin/bash", "-lc", "agent '{prompt}'"]},
            "in a script for a shell would be run by it",
        ),
        ({"argv": ["agent"], "resume_run": "agent {branch}"}, "resume_run: `.branch.` in a script"),
        ({"argv": ["a"], "stdin": "yes"}, "stdin: `yes` is neither true nor false"),
        (
            {"argv": ["a"], "interactiv": True},
            "interactiv: is no known key here: did you mean `interactive`",
        ),
        ({"argv": ["a"], "ready": "("}, "no regular expression"),
    ],
)
def test_settings_of_a_command_that_cannot_be_used_are_named(
    settings: dict[str, object], fault: str
) -> None:
    with pytest.raises(ConfigError, match=fault):
        CommandAgent(AgentConfig(passthrough=settings))


REST = {"claude-code": "❯ \n", "codex": "› Ask Codex to do anything\n\n  gpt · /w\n"}
WORKS = {"claude-code": "◐ Claude Code", "codex": "⠋ w"}
RESTS = {"claude-code": "✳ Claude Code", "codex": "w"}
ASKS = {
    "claude-code": "Go?\n❯ 1. Yes\n  2. No\n\nEsc to cancel\n",
    "codex": "Go?\n› 1. Yes\n  2. No\n\nPress enter to confirm\n",
}


@pytest.mark.parametrize("agent", [ClaudeCode(), Codex()], ids=lambda agent: agent.name)
def test_the_title_is_a_second_witness(agent: ClaudeCode | Codex) -> None:
    def told(screen: str | None, title: str) -> Activity | None:
        found = read_screen(agent, screen, agent.trouble, replace(seen(), title=title))
        return found.activity if found is not None else None

    assert told(REST[agent.name], RESTS[agent.name]) is Activity.READY
    assert told(REST[agent.name], WORKS[agent.name]) is None, (
        "work that does not look as it used to is no rest"
    )
    assert told("a page that nobody knows\n", WORKS[agent.name]) is None, "it may be starting"
    assert told("a page that nobody knows\n", RESTS[agent.name]) is None
    assert told(ASKS[agent.name], WORKS[agent.name]) is Activity.WAITING_INPUT
    assert told(None, WORKS[agent.name]) is None, "without a screen the title may be long past"


def test_codex_asks_for_action_in_its_title() -> None:
    asks = replace(seen(), title="[ . ] Action Required | w")
    found = read_screen(Codex(), "a dialog that nobody knows\n", Codex.trouble, asks)
    assert found == ScreenState(Activity.WAITING_INPUT, at=NOW)


def test_words_that_aider_draws_in_grey_stand_in_its_place_to_type_all_the_same() -> None:
    lines = (
        "─" * 40,
        "Readonly: ../system.md",
        "diff> Pull request #2 asks for changes.",
        "diff>",
        "diff> Answer it",
        "",
    )
    faint = tuple(line.replace("#2", "  ") for line in lines)
    box = Aider().input_box(View(lines, faint, len("diff> Answer it"), 4, 80))
    assert box is not None
    assert box.holds("Pull request #2 asks for changes.\n\nAnswer it")
    assert not box.holds("Pull request asks for changes.\n\nAnswer it")


def test_a_text_that_has_scrolled_in_aiders_place_to_type_below_its_files_is_known_by_its_end() -> (
    None
):
    said = [f"line {number}" for number in range(30)]
    lines = (
        "Readonly: ../system.md",
        "Editable: greeting.txt",
        *(f"diff> {line}" for line in said[20:]),
    )
    box = Aider().input_box(View(lines, lines, len(lines[-1]), len(lines) - 1, 20))
    assert box is not None
    assert box.holds("\n".join(said))
    assert not box.holds("\n".join([*said, "more"]))
