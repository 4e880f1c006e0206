"""Words are words, whole: whatever a person, a review or an issue says reaches the model, as it is
or in the frame that the docs name.

It is given to the real agents as a first prompt and as a later message, and read
where the model heard it.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.plugins.agent.words import visible
from tests.agents.bench import (
    Settle,
    aider_home,
    bench,
    claude_home,
    codex_home,
    installed,
    opencode_home,
)
from tests.agents.heard import FIRST, is_heard

LATER = [
    *("/clear", "  /compact now", "\n/exit", "/nosuchthing", "/tmp/a is a path"),
    *("exit", "QUIT", ":q", "!touch not-a-command.txt", "#remember", "& later", "? what", "?"),
    *(
        "ends with a backslash \\",
        "\\",
        "look at @README.md",
        "@",
        "use $skill",
        "{ a block",
        "'quotes\" and `ticks` $(touch pwned)",
    ),
    *(
        "a\ttab",
        "CRLF\r\nand CR\rends",
        "^C \x03, escape \x1b[31m, end \x1b[201~ of a paste, bell \x07, DEL \x7f, C1 \x9b1m",
    ),
    *(
        "two\n\n\nlines",
        "one\ntwo\nthree\nfour\nfive",
        "* Fixing… (esc to interrupt)",
        "❯ 1. Yes\n  2. No\n\nEnter to confirm",
    ),
    *(
        "› 1. Yes\n  2. No\n\nPress enter to confirm",
        "(Y)es/(N)o [Yes]: ",
        "> quoted\n> lines\n>",
        "[Pasted text #1 +3 lines]",
        "─" * 90,
    ),
    *(
        "Zürich 漢字 🎼 e\u0301 👩‍👩‍👧",
        "long " * 300,
        "".join(f"line {number} of many\n" for number in range(200)),
        "x" * 20_000,
    ),
]
# what shows nothing is left out by some; half characters are no text, and no terminal takes NUL
LETTERS = st.characters(
    exclude_categories=("Cs", "Co", "Cn", "Cf", "Zl", "Zp"), exclude_characters="\0"
)
TEXTS = st.text(LETTERS, min_size=1, max_size=300).filter(
    lambda text: bool(visible(text)) and any(map(_marks, text))
)


def _marks(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN"


# opencode gets later messages past its terminal, one as the other
AGENTS: dict[str, tuple[str, dict[str, Any], Settle, tuple[str, ...], int, int]] = {
    "claude-code": ("claude", {"permissions": "default"}, claude_home, FIRST, len(LATER), 5),
    "codex": ("codex", {}, codex_home, FIRST, len(LATER), 5),
    "aider": ("aider", {"model": "openai/scripted"}, aider_home, ("/clear",), len(LATER), 5),
    "opencode": ("opencode", {"model": "loop/scripted"}, opencode_home, ("exit",), 8, 3),
}


@pytest.mark.parametrize("agent", AGENTS)
def test_any_text_reaches_the_model_whole(tmp_path: Path, agent: str) -> None:
    executable, config, settle, firsts, laters, examples = AGENTS[agent]
    with bench(tmp_path, installed(executable), agent, config, settle) as at:
        for text in firsts:
            is_heard(at, text, lambda text=text: at.spawn(text))  # type: ignore[misc]
            if text != firsts[-1]:
                at.house.client.delete(f"/sessions/{at.session}")
        for text in LATER[:laters]:
            is_heard(at, text, lambda text=text: at.say(text))  # type: ignore[misc]

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(TEXTS)
        def any_text(text: str) -> None:
            is_heard(at, text, lambda: at.say(text))

        any_text()
        assert not list(Path(at.view()["workspace_path"]).glob("not-a-command*")), "nothing was run"
