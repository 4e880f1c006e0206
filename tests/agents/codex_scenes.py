"""What happens in codex that a whole day does not show: conversations that a
person changes, and its views.
"""

from __future__ import annotations

from tests.agents.bench import PATIENCE, Bench, Scenes
from tests.agents.scenes import begins_another, begins_to_type, heard, types, views, waits
from tests.conftest import eventually


def a_rewind(at: Bench) -> None:
    """A person goes back to an earlier prompt; codex goes on in a new file."""
    turns = at.model.turns()
    for words in ("kept", "dropped", "dropped too"):
        at.say(f":say {words}")
        turns += 1
        at.ends_turns(turns)
        at.rests()
        # Escape in a turn that codex has not ended itself interrupts it,
        # whatever the model has ended
        at.shows(f"• {words}\n(?s:.*)Worked for")
    at.presses("Escape")
    at.shows("esc again to edit")
    at.presses("Escape")
    at.shows("Browsing transcript")
    at.presses("Left", "Left", "Enter")
    at.shows("reverted")
    at.presses("C-u")
    at.say(":say after the rewind")
    at.ends_turns(turns + 1)
    at.rests()
    assert not any("dropped" in words for words in heard(at)), heard(at)


def an_agent_of_its_own(at: Bench) -> None:
    """It is seen at work, and what it uses is in the books beside what its agent does."""
    turns = at.model.turns()
    at.say(
        ':use spawn_agent {"message": ":helper one\\n:think 3\\n:say helped"}\n:run sleep 6\n'
        ":say begun"
    )
    eventually(lambda: at.view()["helpers"] == 1, PATIENCE, f"{at.view()}")
    at.ends_turns(turns + 2, PATIENCE)
    at.rests()
    eventually(lambda: at.view()["helpers"] == 0, PATIENCE, "it is done")


SCENES: Scenes = (
    ("rewind", a_rewind),
    ("an agent of its own", an_agent_of_its_own),
    (
        "new and restore",
        lambda at: begins_another(at, "/new", confirms="Where should the new conversation run"),
    ),
    ("transcript view", lambda at: views(at, ("C-t",), "T R A N S C R I P T", "q")),
    ("person types", types),
    ("half a line", begins_to_type),
    ("long tool", waits),
)
