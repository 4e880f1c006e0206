"""Answers to questions on a screen: which choice is meant, and the keys that lead to it."""

from __future__ import annotations

import pytest

from ennio.errors import Refused
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.choosing import Choice, choices, chosen, way
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.runtime.interface import Key

CLAUDE = (
    "1. old list\n"
    "\n"
    " Bash command\n"
    "   touch x\n"
    " Do you want to proceed?\n"
    " ❯ 1. Yes\n"
    "   2. Yes, and don't ask again for touch\n"
    "   3. No\n"
    "\n"
    " Esc to cancel\n"
)
CODEX = (
    "  Would you like to run this?\n"
    "\n"
    "  $ touch x\n"
    "\n"
    "› 1. Yes, proceed (y)\n"
    "  2. Yes, and don't ask again (p)\n"
    "  3. No, and tell it what to do (esc)\n"
    "\n"
    "  Press enter to confirm or esc to cancel\n"
)
AIDER = "touch x\nRun shell command? (Y)es/(N)o/(D)on't ask again [Yes]: \n"
OPENCODE = (
    "  ┃  △ Permission required\n"
    "  ┃    # Shell command\n"
    "  ┃\n"
    "  ┃  $ touch x\n"
    "  ┃   Allow once   Allow always   Reject        ctrl+f fullscreen  enter confirm\n"
)
COLOURS = "> go\n? Which colour?\n  1. red\n  2. blue\n"


@pytest.mark.parametrize(
    ("agent", "screen", "text", "keys"),
    [
        (ClaudeCode(), CLAUDE, "yes", (Key.ENTER,)),
        (ClaudeCode(), CLAUDE, "2", (Key.DOWN, Key.ENTER)),
        (ClaudeCode(), CLAUDE, "no", (Key.DOWN, Key.DOWN, Key.ENTER)),
        (ClaudeCode(), CLAUDE.replace("❯ 1", "  1").replace("  3.", "❯ 3."), "y", (Key.UP, Key.UP, Key.ENTER)),
        (Codex(), CODEX, "y", (Key.ENTER,)),
        (Codex(), CODEX, "No", (Key.DOWN, Key.DOWN, Key.ENTER)),
        (Aider(), AIDER, "yes", ("Y", Key.ENTER)),
        (Aider(), AIDER, "n", ("N", Key.ENTER)),
        (Aider(), AIDER, "don't ask again", ("D", Key.ENTER)),
        (ScriptedAgent(), COLOURS, "blue", (Key.CLEAR, "2", Key.ENTER)),
        (ScriptedAgent(), "? What name?\n", "Ann", (Key.CLEAR, "Ann", Key.ENTER)),
    ],
)
def test_an_answer_becomes_the_keys_that_give_it(agent: ScreenAgent, screen: str, text: str, keys: tuple[Key | str, ...]) -> None:
    assert agent.answer(screen, text) == keys


@pytest.mark.parametrize(
    ("agent", "screen", "told"),
    [
        (ClaudeCode(), CLAUDE, "1. Yes; 2. Yes, and don't ask again for touch; 3. No"),
        (Codex(), CODEX, "3. No, and tell it what to do"),
        (Aider(), AIDER, "1. Yes; 2. No; 3. Don't ask again"),
        (ScriptedAgent(), COLOURS, "1. red; 2. blue"),
    ],
)
def test_an_answer_that_fits_no_choice_is_refused_with_the_choices(agent: ScreenAgent, screen: str, told: str) -> None:
    for text in ("perhaps", "", "7", "ye"):
        with pytest.raises(Refused) as refused:
            agent.answer(screen, text)
        assert told in str(refused.value)


@pytest.mark.parametrize("agent", [ClaudeCode(), Codex(), Aider(), OpenCode(), ScriptedAgent()], ids=lambda agent: agent.name)
@pytest.mark.parametrize("screen", ["", "> ", OPENCODE, "1. a list\n2. of words\n❯ \n", AIDER + "y\nRunning touch x\ndiff> \n"])
def test_incident_27_nothing_is_pressed_where_nothing_is_asked(agent: ScreenAgent, screen: str) -> None:
    with pytest.raises(Refused, match="shows no question"):
        agent.answer(screen, "yes")


def test_lines_between_the_choices_belong_to_them_and_only_the_last_list_counts() -> None:
    assert choices("1. a\n2. b\ntext\n❯ 1. Yes\n     for this time\n  2. No\n") == (Choice(1, "Yes", marked=True), Choice(2, "No"))


def test_words_that_begin_several_choices_choose_none() -> None:
    two = (Choice(1, "Keep the file"), Choice(2, "Keep the folder"))
    with pytest.raises(Refused):
        chosen(two, "keep the")
    assert chosen(two, "keep the FILE").number == 1


def test_without_a_mark_nothing_is_pressed() -> None:
    with pytest.raises(Refused, match="which choice is marked"):
        way((Choice(1, "Yes"), Choice(2, "No")), Choice(2, "No"))
