"""Words that a real agent was given, read where its model heard them.

They reach the model as they are, or in the frame that the docs name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ennio.plugins.agent.words import visible
from tests.agents.bench import Bench
from tests.agents.script import Step

BESIDE = re.compile(
    r"</?pasted_content[^>\n]*>|\n\nTo suggest changes to a file you MUST [\s\S]*\Z"
)
"""What claude-code puts around a paste, and aider behind every prompt."""
FRAME = "Message: "
FIRST = (
    "!touch not-a-command.txt beside @README.md",
    "--version",
    "ends with a backslash \\",
)
"""First prompts of which each takes a start of the agent."""
FIRST_OF_METERED, FIRST_OF_PLANNED = "/clear", "exit"
"""Two more, which begin the tests of metering and of plans: those start their agents anyway."""


def _shown(text: str) -> str:
    """A text as a terminal has to be given it: control characters are their pictures."""
    pictures = {
        number: chr(0x2400 + number) for number in range(0x20) if chr(number) not in "\t\n\r"
    } | {0x7F: "\u2421"}
    return visible(
        text.translate(pictures | {number: f"\\x{number:x}" for number in range(0x80, 0xA0)})
    )


def _same(heard: str, text: str) -> bool:
    told = visible(BESIDE.sub("", heard))
    # past a terminal, by its own protocol, an agent hears the very text
    return told in {
        one for words in (_shown(text), visible(text)) for one in (words, visible(FRAME) + words)
    }


def is_heard(at: Bench, text: str, give: Callable[[], Any]) -> None:
    """Give it, and read what the model was asked last."""
    wanted = (_shown(text), visible(text))
    at.model.reacts = lambda words: (
        [Step(words="ok")] if any(one in visible(words) for one in wanted) else None
    )
    turns = at.model.turns()
    give()
    at.ends_turns(turns + 1, 90)
    heard = [served for served in at.model.good if served.scripted][-1].heard[-1]
    assert _same(heard, text), f"{text!r} was heard as {heard!r}"
    at.becomes("ready", 30)

    def delivered() -> bool:
        assert at.delivered()[-1]["state"] == "delivered", f"{at.delivered()[-1]}"
        return True

    at.sees(delivered, 30, "it is told as delivered")
    at.model.reacts = lambda _: None  # these words move no script but now
