"""What an interrupt left in the line of a program is taken back, and nothing of a person's."""

from __future__ import annotations

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.interrupting import undoing
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.runtime.interface import Key, View


def _shown(line: str) -> View:
    return View((line,), (line,), len(line), 0, 80)


@pytest.mark.parametrize(
    ("pressed", "before", "after", "keys"),
    [
        (Key.ESCAPE, "> ", "> ^[", (Key.ERASE,)),
        (Key.ESCAPE, "> mine", "> mine^[", (Key.ERASE,)),
        (Key.ESCAPE, "> ^[", "> ^[^[", (Key.ERASE,)),
        (Key.ESCAPE, "> ", "> ", (Key.CLEAR,)),
        (Key.ESCAPE, "> mine", "> mine", ()),
        (Key.ESCAPE, "1", "2^[", (Key.CLEAR,)),
        (Key.INTERRUPT, "> ", "> ^C", ()),
    ],
)
def test_only_what_the_key_left_is_taken_back(
    pressed: Key, before: str, after: str, keys: tuple[Key, ...]
) -> None:
    chat = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))
    box = chat.input_box(_shown(after))
    assert isinstance(box, InputBox)
    assert undoing((pressed,), _shown(before), _shown(after), box) == keys


def test_a_program_that_catches_it_is_interrupted_by_ctrl_c() -> None:
    settings = {"argv": ["cat"], "interactive": True, "interrupt": "ctrl_c"}
    assert CommandAgent(AgentConfig(passthrough=settings)).interrupt_keys == (Key.INTERRUPT,)
