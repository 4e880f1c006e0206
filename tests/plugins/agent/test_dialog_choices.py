"""Answers to questions on a screen: which choice is meant, and the keys that lead to it."""

from __future__ import annotations

import pytest

from ennio.model.errors import Refused
from ennio.model.session import Activity
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.dialog_choices import DialogChoice, choices, chosen, way
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.screen_state import screen_state
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
FRUITS = (
    "────────────\n←  ☒ Colour  ☐ Fruits  ✔ Submit  →\n\nWhich fruits, all of them?\n\n"
    "❯ 1. [ ] Apple\n         a\n  2. [✔] Pear\n         b\n  3. [ ] Fig\n         c\n  4. [ ] "
    "Type something\n     Submit\n"
    "────────────\n  5. Chat about this\n\nEnter to select · Tab/Arrow keys to navigate · Esc to "
    "cancel\n"
)
COLOUR = (
    "────────────\n ☐ Colour\n\nWhich colour?\n\n❯ 1. Red\n     like fire\n  2. Blue\n     like "
    "the sea\n  3. Type something.\n"
    "────────────\n  4. Chat about this\n\nEnter to select · ↑/↓ to navigate · Esc to cancel\n"
)
REVIEW = (
    "────────────\n←  ☒ Colour  ☒ Fruits  ✔ Submit  →\n\nReview your answers\n\n"
    " ● Which colour?\n   → Blue\n ● Which fruits?\n   → Fig\n\n❯ 1. Submit answers\n  2. Cancel\n"
)
PLAN = (
    "▔▔▔▔▔▔▔▔\n  ────────────\n   Ready to code?\n\n   Here is Claude's plan:\n"
    "  ╌╌╌╌╌╌╌╌\n   1. do this\n   2. do that\n  ╌╌╌╌╌╌╌╌\n  ────────────\n"
    "   Claude has written up a plan and is ready to execute. Would you like to proceed?\n\n"
    "   ❯ 1. Yes, and use auto mode\n     2. Yes, manually approve edits\n     3. Tell Claude "
    "what to change\n"
    "        shift+tab to approve with this feedback\n\n   ctrl+g to edit in Vim · "
    "~/.claude/plans/a.md\n"
)
TRUST = (
    "────────────\n Accessing workspace:\n\n /w\n\n Quick safety check: Is this a project you "
    "created or one you trust?\n\n"
    " Security guide\n\n ❯ No, exit\n   Yes, I trust this folder\n\n Enter to confirm · Esc to "
    "cancel\n"
)
ASKS_FOR_THE_PLAN = (
    "Claude has written up a plan and is ready to execute. Would you like to proceed? "
    "[1. Yes, and use auto mode / 2. Yes, manually approve edits / 3. Tell Claude what to change]"
)
ASKS_FOR_TRUST = (
    "Accessing workspace: /w Quick safety check: Is this a project you created or one you trust? "
    "Security guide "
    "[1. No, exit / 2. Yes, I trust this folder]"
)
AIDER = "touch x\nRun shell command? (Y)es/(N)o/(D)on't ask again [Yes]: \n"
OPENCODE = (
    "  ┃  △ Permission required\n"
    "  ┃    # Shell command\n"
    "  ┃\n"
    "  ┃  $ touch x\n"
    "  ┃   Allow once   Allow always   Reject        ctrl+f fullscreen  enter confirm\n"
)
TICK, DOWN = (Key.ENTER,), (Key.DOWN,)
COLOURS = "> go\n? Which colour?\n  1. red\n  2. blue\n"


@pytest.mark.parametrize(
    ("agent", "screen", "text", "keys"),
    [
        (ClaudeCode(), CLAUDE, "yes", (Key.ENTER,)),
        (ClaudeCode(), CLAUDE, "2", (Key.DOWN, Key.ENTER)),
        (ClaudeCode(), CLAUDE, "no", (Key.DOWN, Key.DOWN, Key.ENTER)),
        (
            ClaudeCode(),
            CLAUDE.replace("❯ 1", "  1").replace("  3.", "❯ 3."),
            "y",
            (Key.UP, Key.UP, Key.ENTER),
        ),
        (ClaudeCode(), COLOUR, "blue", (Key.DOWN, Key.ENTER)),
        (
            ClaudeCode(),
            COLOUR,
            "green like grass",
            (Key.DOWN, Key.DOWN, "green like grass", Key.ENTER),
        ),
        (ClaudeCode(), COLOUR, "chat about this", (Key.DOWN, Key.DOWN, Key.DOWN, Key.ENTER)),
        (
            ClaudeCode(),
            FRUITS,
            "fig, apple",
            (*TICK, *DOWN, *TICK, *DOWN, *TICK, *DOWN, *DOWN, *TICK),
        ),
        (ClaudeCode(), FRUITS, "2", (*DOWN * 4, *TICK)),
        (ClaudeCode(), FRUITS, "Submit", (*DOWN * 4, *TICK)),
        (ClaudeCode(), REVIEW, "yes", (Key.ENTER,)),
        (ClaudeCode(), REVIEW, "cancel", (Key.DOWN, Key.ENTER)),
        (ClaudeCode(), PLAN, "2", (Key.DOWN, Key.ENTER)),
        (ClaudeCode(), PLAN, "only this", (Key.DOWN, Key.DOWN, "only this", Key.ENTER)),
        (
            ClaudeCode(),
            PLAN.replace("❯ 1.", "  1.").replace("  3. Tell", "❯ 3. Tell"),
            "yes",
            (Key.UP, Key.UP, Key.ENTER),
        ),
        (ClaudeCode(), TRUST, "yes", (Key.DOWN, Key.ENTER)),
        (ClaudeCode(), TRUST, "no", (Key.ENTER,)),
        (Codex(), CODEX, "y", (Key.ENTER,)),
        (Codex(), CODEX, "No", (Key.DOWN, Key.DOWN, Key.ENTER)),
        (Aider(), AIDER, "yes", ("Y", Key.ENTER)),
        (Aider(), AIDER, "n", ("N", Key.ENTER)),
        (Aider(), AIDER, "don't ask again", ("D", Key.ENTER)),
        (ScriptedAgent(), COLOURS, "blue", (Key.CLEAR, "2", Key.ENTER)),
        (ScriptedAgent(), "? What name?\n", "Ann", (Key.CLEAR, "Ann", Key.ENTER)),
    ],
)
def test_an_answer_becomes_the_keys_that_give_it(
    agent: ScreenAgent, screen: str, text: str, keys: tuple[Key | str, ...]
) -> None:
    assert agent.answer(screen, text) == keys


@pytest.mark.parametrize(
    ("agent", "screen", "told"),
    [
        (ClaudeCode(), CLAUDE, "1. Yes; 2. Yes, and don't ask again for touch; 3. No"),
        (ClaudeCode(), FRUITS, "1. Apple; 2. Pear; 3. Fig"),
        (ClaudeCode(), TRUST, "1. No, exit; 2. Yes, I trust this folder"),
        (Codex(), CODEX, "3. No, and tell it what to do"),
        (Aider(), AIDER, "1. Yes; 2. No; 3. Don't ask again"),
        (ScriptedAgent(), COLOURS, "1. red; 2. blue"),
    ],
)
def test_an_answer_that_fits_no_choice_is_refused_with_the_choices(
    agent: ScreenAgent, screen: str, told: str
) -> None:
    for text in ("perhaps", "", "7", "ye"):
        with pytest.raises(Refused) as refused:
            agent.answer(screen, text)
        assert told in str(refused.value)


@pytest.mark.parametrize(
    "agent",
    [ClaudeCode(), Codex(), Aider(), OpenCode(), ScriptedAgent()],
    ids=lambda agent: agent.name,
)
@pytest.mark.parametrize(
    "screen",
    ["", "> ", OPENCODE, "1. a list\n2. of words\n❯ \n", AIDER + "y\nRunning touch x\ndiff> \n"],
)
def test_incident_27_nothing_is_pressed_where_nothing_is_asked(
    agent: ScreenAgent, screen: str
) -> None:
    with pytest.raises(Refused, match="shows no question"):
        agent.answer(screen, "yes")


def test_lines_between_the_choices_belong_to_them_and_only_the_last_list_counts() -> None:
    screen = "1. a\n2. b\ntext\n❯ 1. Yes\n     for this time\n  2. No\n"
    assert choices(screen) == (DialogChoice(1, "Yes", marked=True), DialogChoice(2, "No"))


def test_words_that_begin_several_choices_choose_none() -> None:
    two = (DialogChoice(1, "Keep the file"), DialogChoice(2, "Keep the folder"))
    with pytest.raises(Refused):
        chosen(two, "keep the")
    assert chosen(two, "keep the FILE").number == 1


@pytest.mark.parametrize("text", ["g", "gr", "gree", "n", "no", "y", "a"])
def test_a_part_of_a_word_chooses_none_and_it_is_said_how_one_answers(text: str) -> None:
    """A no, or a letter of it, must never be the beginning of what grants more."""
    among = (
        DialogChoice(1, "red"),
        DialogChoice(2, "green light"),
        DialogChoice(3, "Now, always"),
        DialogChoice(4, "Yesterday's rules"),
        DialogChoice(5, "No-questions mode"),
    )
    how = "fits none of the choices; answer with the number, or with the first whole words, of one"
    with pytest.raises(Refused, match=how) as refused:
        chosen(among, text)
    assert str(refused.value).endswith("3. Now, always; 4. Yesterday's rules; 5. No-questions mode")
    assert [chosen(among, word).number for word in ("green", "GREEN", "2")] == [2, 2, 2]


def test_what_fits_several_choices_is_told_apart_from_what_fits_none() -> None:
    two = (DialogChoice(1, "Keep the file"), DialogChoice(2, "Keep the folder"))
    with pytest.raises(Refused, match="'keep' fits more than one of the choices"):
        chosen(two, "keep")


def test_without_a_mark_nothing_is_pressed() -> None:
    with pytest.raises(Refused, match="which choice is marked"):
        way((DialogChoice(1, "Yes"), DialogChoice(2, "No")), DialogChoice(2, "No"))


def test_of_several_choices_that_are_named_one_that_is_none_of_them_refuses_all() -> None:
    with pytest.raises(Refused, match=r"'plum' fits none of the choices"):
        ClaudeCode().answer(FRUITS, "fig,plum")


@pytest.mark.parametrize(
    ("screen", "question"),
    [
        (COLOUR, "Which colour? [1. Red / 2. Blue / 3. Type something. / 4. Chat about this]"),
        (
            FRUITS,
            (
                "Which fruits, all of them? [1. [ ] Apple / 2. [✔] Pear / 3. [ ] Fig / 4. [ ] Type "
                "something / 5. Chat about this]"
            ),
        ),
        (
            REVIEW,
            (
                "Review your answers ● Which colour? → Blue ● Which fruits? → Fig [1. Submit "
                "answers "
                "/ 2. Cancel]"
            ),
        ),
        (
            PLAN,
            ASKS_FOR_THE_PLAN,
        ),
        (
            TRUST,
            ASKS_FOR_TRUST,
        ),
    ],
)
@pytest.mark.parametrize("panel", [False, True], ids=["alone", "beside a panel"])
def test_a_question_is_told_with_its_choices(screen: str, question: str, panel: bool) -> None:
    agent = ClaudeCode()
    found = screen_state(agent, beside_a_panel(screen) if panel else screen, agent.trouble)
    assert found is not None
    assert (found.activity, found.question) == (Activity.WAITING_INPUT, question)
    assert not agent.is_ready_for_text(beside_a_panel(screen) if panel else screen)


def test_what_is_said_below_a_question_that_was_declined_is_no_place_to_type() -> None:
    declined = (
        f"{TRUST}\nClaude Code didn't start because this folder isn't trusted.\n"
        "Run claude again and choose Yes, or run it in another folder.\n"
    )
    assert not ClaudeCode().has_started(declined)
    assert ClaudeCode().is_ready_for_text(f"{declined}{'─' * 120}\n❯ \n{'─' * 120}\n")


def beside_a_panel(screen: str) -> str:
    """As in a wide terminal, where changes are shown at the right."""
    lines = [*screen.splitlines(), *[""] * 12]
    return "\n".join(
        f"{line:<100.100}│{'1 file changed' if at == 3 else ''}" for at, line in enumerate(lines)
    )


def test_a_place_to_type_below_a_panel_is_one() -> None:
    assert ClaudeCode().is_ready_for_text(
        f"{beside_a_panel('● Done.')}\n{'─' * 120}\n❯ \n{'─' * 120}\n  ? for shortcuts\n"
    )
