"""What happens in codex that a whole day does not show: conversations that a person changes, and its views."""

from __future__ import annotations

from tests.agents.bench import Bench, Scenes
from tests.agents.scenes import begins_another, heard, types, views, waits


def a_rewind(at: Bench) -> None:
    """A person goes back to an earlier prompt; codex goes on in a new file."""
    turns = at.model.turns()
    for words in ("kept", "dropped", "dropped too"):
        at.say(f":say {words}")
        turns += 1
        at.ends_turns(turns)
        at.becomes("ready", 5)
    for key in ("Escape", "Escape", "Left", "Left", "Enter"):
        at.keys(key)
        at.goes_on(0.4)
    assert "reverted" in at.screen(), at.screen()
    at.keys("C-u")
    at.say(":say after the rewind")
    at.ends_turns(turns + 1)
    at.becomes("ready", 5)
    assert not any("dropped" in words for words in heard(at)), heard(at)


SCENES: Scenes = (
    ("rewind", a_rewind),
    ("new and restore", lambda at: begins_another(at, "/new", confirms=True)),
    ("transcript view", lambda at: views(at, "C-t", "q")),
    ("person types", types),
    ("long tool", waits),
)
