"""What happens in codex that a whole day does not show: conversations that a person changes, and its views."""

from __future__ import annotations

from tests.agents.bench import Bench, Scenes
from tests.agents.scenes import begins_another, heard, types, views, waits
from tests.conftest import eventually


def a_rewind(at: Bench) -> None:
    """A person goes back to an earlier prompt; codex goes on in a new file."""
    turns = at.model.turns()
    for words in ("kept", "dropped", "dropped too"):
        at.say(f":say {words}")
        turns += 1
        at.ends_turns(turns)
        at.becomes("ready", 5)
        # Escape in a turn that codex has not ended itself interrupts it, whatever the model has ended
        eventually(lambda words=words: "Worked for" in at.screen().rpartition(f"• {words}\n")[2], within=10)
    for key in ("Escape", "Escape", "Left", "Left", "Enter"):
        at.keys(key)
        at.goes_on(0.4)
    eventually(lambda: "reverted" in at.screen(), within=10)
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
