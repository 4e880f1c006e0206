"""Where the place to type lies on a real screen, and whose words stand in it; the screens are
those of the tried versions.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ennio.config.model import AgentConfig
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.scripted.terminal import folded
from ennio.plugins.runtime.interface import View
from ennio.plugins.runtime.text_style import strong

WIDTH = 60
RULE = "─" * WIDTH
GRAY, PLAIN, TURNED = "\x1b[38;5;246m", "\x1b[39m", "\x1b[7m"


def view(screen: str, column: int, row: int, **more: bool) -> View:
    """A screen with its codes; rows from the bottom are negative."""
    lines, left = strong(screen.split("\n"))
    return View(lines, left, column, row % len(lines), WIDTH, **more)


def claude(
    text: str, column: int, row: int = -3, above: str = "● Done.", foot: str = "  ? for shortcuts"
) -> View:
    return view(f"{above}\n\n{RULE}\n❯ {text}\n{RULE}\n{foot}", column, row)


def codex(
    text: str,
    column: int,
    row: int = 3,
    above: str = "• Done.",
    foot: str = "  gpt-5 · ~/w",
    cursor: bool = True,
) -> View:
    return view(
        f"{above}\n  Worked for <1s\n\n\x1b[1m›\x1b[0m {text}\n\n{foot}\n  ? for shortcuts",
        column,
        row,
        cursor=cursor,
    )


@pytest.mark.parametrize(
    ("agent", "shown", "text"),
    [
        (ClaudeCode(), claude(f"{TURNED} \x1b[0m", 2), ""),
        (ClaudeCode(), claude(f'{TURNED}T\x1b[0m{GRAY}ry "fix lint errors"{PLAIN}', 2), ""),
        (ClaudeCode(), claude(f"{TURNED}p\x1b[0mlease do not", 2), "please do not"),
        (ClaudeCode(), claude(f"{TURNED}d\x1b[0m", 2), "d"),
        (ClaudeCode(), claude("one\n  two", 5), "one\ntwo"),
        (
            ClaudeCode(),
            claude("x", 3, above="● * Fixing… (esc to interrupt)\n  Enter to confirm"),
            "x",
        ),
        (Codex(), codex("\x1b[2mAsk Codex to do anything\x1b[0m", 2), ""),
        (Codex(), codex("please do not| rm", 15), "please do not| rm"),
        (Codex(), codex("one\n\n  three", 7, 5), "one\n\nthree"),
        (
            Codex(),
            codex("x", 3, above="• press (9s • esc to interrupt) or Press enter to confirm"),
            "x",
        ),
        (Aider(), view(f"{RULE}\ndiff> one\ndiff> two\n", 9, 2), "one\ntwo"),
        (Aider(), view(f"{RULE}\nReadonly: x\n> \n", 2, 2), ""),
    ],
)
def test_what_stands_in_the_place_to_type_is_known(
    agent: ClaudeCode | Codex | Aider, shown: View, text: str
) -> None:
    box = agent.input_box(shown)
    assert box is not None
    assert box.text == text
    assert box.is_empty == (text == "")


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            ClaudeCode(),
            view(
                f"❯ hello\n● Done.\n{RULE}\n  Showing detailed transcript · ctrl+o to toggle", 0, -1
            ),
        ),
        (
            ClaudeCode(),
            view(
                f"{RULE}\n  Search prompts\n  ❯ hello\n  ╭────╮\n  │ ⌕ F │\n  ╰────╯\n  Enter to "
                "use · Esc to cancel",
                6,
                -3,
            ),
        ),
        (ClaudeCode(), view(f"{RULE}\n! ls\n{RULE}\n  ! for shell mode", 4, 1)),
        (ClaudeCode(), claude("", 2, foot="  manual mode on · esc to interrupt")),
        (ClaudeCode(), claude("", 2, above="✽ Mulling…")),
        (
            Codex(),
            view(
                "/ T R A N S C R I P T /\n\n› hello\n\n• Done.\n\n ↵ rewind · esc back",
                20,
                -1,
                cursor=False,
            ),
        ),
        (Codex(), codex("", 20, -1, foot="  gpt-5 · ~/w\n  reverse-i-search: ")),
        (Codex(), codex("", 2, cursor=False)),
        (Codex(), codex("", 2, above="x", foot="  no foot")),
        (Codex(), view("• Working (2s • esc to interrupt)\n\n› \n\n  gpt-5 · ~/w", 2, 2)),
        (Aider(), view("Run it? (Y)es/(N)o [Yes]: ", 26, 0)),
        (Aider(), view("  (reverse-i-search)`': ", 24, 0)),
    ],
)
def test_incident_27_a_screen_that_is_no_place_to_type_is_none(
    agent: ClaudeCode | Codex | Aider, shown: View
) -> None:
    """A transcript, a search, shell mode, work, a question: Enter would choose,
    run or rewind something.
    """
    assert agent.input_box(shown) is None


BOX = InputBox(("",), WIDTH)


@pytest.mark.parametrize(
    ("rows", "typed", "holds", "mixed"),
    [
        (("go on",), "go on", True, False),
        (("go", "on"), "go on", True, False),
        (("go on and mine",), "go on", False, True),
        (("mine go on",), "go on", False, True),
        (("other",), "go on", False, False),
        (("",), "go on", False, False),
        (("",), "  ", False, False),
        (("[Pasted text #2 +2 lines]",), "a\nb\nc", True, False),
        (("[Pasted text #2 +3 lines]",), "a\nb\nc", False, False),
        (("[Pasted text #2 +2 lines] x",), "a\nb\nc", False, False),
        (("[Pasted text #2 +2 lines]",), "[Pasted text #2 +2 lines]", True, False),
        (("[Pasted Content 3 chars]",), "abc", True, False),
    ],
)
def test_exactly_what_was_typed_counts(
    rows: tuple[str, ...], typed: str, holds: bool, mixed: bool
) -> None:
    box = replace(BOX, rows=rows)
    assert (box.holds(typed), box.is_mixed(typed)) == (holds, mixed)


@pytest.mark.parametrize("text", ["go on", "go on " * 20, "go on\n" * 20])
def test_what_the_scripted_agent_shows_of_a_text_is_known_for_that_text(text: str) -> None:
    """It once showed "1 line" of a long one, and that was taken for a person's words."""
    assert replace(BOX, rows=(folded(text),)).holds(text)


def test_a_mark_without_a_size_is_ours_only_right_after_the_paste() -> None:
    box = replace(BOX, rows=("[Pasted text #2]",))
    assert (box.holds("x" * 900), box.holds("x" * 900, fresh=True)) == (False, True)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("please do not",), "please do not"),
        (("one", "two"), "one\ntwo"),
        (("x" * (WIDTH - 5), "wrapped or not"), None),
        (("see [Image #1]",), None),
        (("[Pasted text #1 +3 lines]",), None),
        (("bell \x07",), None),
    ],
)
def test_only_what_can_be_typed_again_for_sure_may_be_put_aside(
    rows: tuple[str, ...], words: str | None
) -> None:
    assert replace(BOX, rows=rows).words == words


COMMAND = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))


@pytest.mark.parametrize(
    ("screen", "row", "free", "holds", "mixed"),
    [
        ("hello\n> ", 1, True, False, False),
        ("hello\n> go on", 1, False, True, False),
        ("hello\n> please go on", 1, False, False, True),
        ("hello\n> go on please", 1, False, False, True),
        ("hello\n> go on\n", 2, False, False, False),
        ("hello\n> go on\nok\n> ", 3, True, False, False),
    ],
)
def test_of_a_program_nobody_knows_the_end_of_the_screen_counts(
    screen: str, row: int, free: bool, holds: bool, mixed: bool
) -> None:
    lines = tuple(screen.split("\n"))
    box = COMMAND.input_box(View(lines, lines, len(lines[row]), row, WIDTH))
    assert box is not None
    assert (box.is_empty, box.holds("go on"), box.is_mixed("go on")) == (free, holds, mixed)


@pytest.mark.parametrize(
    ("screen", "row", "begun"),
    [
        ("hello\n> please do not", 1, True),
        ("hello\n> please", 0, False),
        ("hello\n> ", 1, False),
        ("> sleep 100\n", 1, False),
        ("compiling the rest", 0, False),
        ("> " + "x" * (WIDTH - 2) + "\nand more", 1, True),
    ],
)
def test_words_behind_the_prompt_of_a_program_nobody_knows_are_told_from_its_work(
    screen: str, row: int, begun: bool
) -> None:
    lines = tuple(screen.split("\n"))
    box = COMMAND.input_box(View(lines, lines, len(lines[row]), row, WIDTH))
    assert box is not None
    assert box.has_begun is begun


@pytest.mark.parametrize(
    ("ready", "line", "free"),
    [
        ("^you:", "you: half", False),
        ("^you:", "you: ", True),
        (">", "a>b> ", True),
        ("> ", "> half", False),
    ],
)
def test_a_pattern_that_does_not_end_with_its_line_gives_no_words_of_a_person_away(
    ready: str, line: str, free: bool
) -> None:
    chat = CommandAgent(
        AgentConfig(passthrough={"argv": ["cat"], "interactive": True, "ready": ready})
    )
    box = chat.input_box(View((line,), (line,), len(line), 0, WIDTH))
    assert box is not None
    assert (box.is_empty, box.has_begun) == (free, not free)


@pytest.mark.parametrize(
    ("line", "echo", "part"),
    [
        ("> ^[", True, False),
        ("you: > ^[^U", True, False),
        ("> ^[[200~", True, False),
        ("> [200~^[[201~", True, False),
        ("> ^C", True, False),
        ("> ", False, False),
        ("> mine ^[", False, False),
        ("> ^[mine", False, False),
        ("> ^[Go o", False, True),
        ("> Go", False, True),
        ("> [200~Go on", False, True),
        ("> Go on please", False, False),
        ("compiling ^[", False, False),
    ],
)
def test_keys_and_what_was_typed_in_part_are_not_the_words_of_a_person(
    line: str, echo: bool, part: bool
) -> None:
    box = COMMAND.input_box(View((line,), (line,), len(line), 0, WIDTH))
    assert box is not None
    assert (box.is_echo, box.holds_part("Go on")) == (echo, part)


def test_what_was_typed_in_part_is_known_where_the_place_to_type_is() -> None:
    parts = {"Go": True, "Go on": True, "Go there": False, "": False, "go": False}
    for text, part in parts.items():
        assert replace(BOX, rows=(text,)).holds_part("Go on") is part


def test_the_lines_of_a_message_are_one_input_unless_the_program_takes_several() -> None:
    pastes = CommandAgent(
        AgentConfig(passthrough={"argv": ["cat"], "interactive": True, "lines": "paste"})
    )
    assert (COMMAND.typed("one\n\ntwo"), pastes.typed("one\n\ntwo")) == ("one two", "one\n\ntwo")
    assert re.search(r"␃", COMMAND.typed("a \x03 b"))
