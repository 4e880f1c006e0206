"""What happens in codex that a whole day does not show: conversations that a person changes, and its views."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.agents.bench import Bench

PATIENCE = 40.0


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
    heard = [one for one in at.model.good if one.scripted][-1].heard
    assert not any("dropped" in words for words in heard), heard


def a_new_conversation(at: Bench) -> None:
    """After a person's /new the new one is read, and resumed."""
    turns = at.model.turns()
    at.keys("/new")
    at.goes_on(1)
    at.mark("asks where", "ready", "waiting_input")
    at.keys("Enter")
    at.goes_on(2)
    at.keys("Enter")
    at.mark("begins", "ready")
    at.goes_on(2)
    at.say(":say after the new")
    at.ends_turns(turns + 1)
    at.becomes("ready", 5)
    at.tells_tokens()
    at.mark("killed", "exited")
    os.kill(at.pid(), signal.SIGKILL)
    at.becomes("exited", 5)
    at.mark("started again", "exited", "None", "ready")
    at.house.client.post(f"/sessions/{at.session}/restore")
    at.becomes("ready", PATIENCE)
    at.mark("resumed", "ready")
    at.say(":say after the restore")
    at.mark("told", "ready", "active")
    at.ends_turns(turns + 2, PATIENCE)
    at.becomes("ready", 5)
    heard = [one for one in at.model.good if one.scripted][-1].heard
    assert [words.strip() for words in heard] == [":say after the new", ":say after the restore"]


def the_transcript_is_looked_at(at: Bench) -> None:
    """A person opens codex's own view of the whole conversation, while it works and while it rests."""
    turns = at.model.turns()
    at.say(":think 8\n:say seen")
    at.becomes("active", 8)
    at.goes_on(1)
    at.keys("C-t")
    at.ends_turns(turns + 1)
    at.goes_on(5)
    at.becomes("ready", 5)
    at.keys("q")
    at.goes_on(2)


def a_person_types(at: Bench) -> None:
    """Words that a person has begun change nothing of what the agent does."""
    turns = at.model.turns()
    at.say(":think 5\n:say while they type")
    at.becomes("active", 8)
    at.goes_on(1)
    at.keys("please", "Space", "do", "Space", "not")
    at.ends_turns(turns + 1)
    at.becomes("ready", 5)
    at.goes_on(3)
    at.keys("C-u")
    at.goes_on(1)


def a_long_tool(at: Bench) -> None:
    turns = at.model.turns()
    at.say(":run sleep 15\n:say slept")
    at.becomes("active", 8)
    at.ends_turns(turns + 1, PATIENCE)
    at.becomes("ready", 5)


SCENES: tuple[tuple[str, Callable[[Bench], None]], ...] = (
    ("rewind", a_rewind),
    ("new and restore", a_new_conversation),
    ("transcript view", the_transcript_is_looked_at),
    ("person types", a_person_types),
    ("long tool", a_long_tool),
)
