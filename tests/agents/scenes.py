"""Scenes that are the same for several agents: a person looks, types, waits, or begins another conversation."""

from __future__ import annotations

import os
import signal

from tests.agents.bench import Bench

PATIENCE = 90.0


def views(at: Bench, opens: str, leaves: str) -> None:
    """A person opens the agent's own view of the whole conversation, while it works and while it rests."""
    turns = at.model.turns()
    at.say(":think 8\n:say seen")
    at.becomes("active", 8)
    at.goes_on(1)
    at.keys(opens)
    at.ends_turns(turns + 1)
    at.goes_on(5)
    at.becomes("ready", 5)
    at.keys(leaves)
    at.goes_on(2)


def types(at: Bench) -> None:
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


def waits(at: Bench, run: str = ":run") -> None:
    """A tool that takes long is work, though nothing moves."""
    turns = at.model.turns()
    at.say(f"{run} sleep 15\n:say slept")
    at.becomes("active", 8)
    at.ends_turns(turns + 1, PATIENCE)
    at.becomes("ready", 5)


def begins_another(at: Bench, command: str, *, confirms: bool = False) -> None:
    """The conversation that a person began in its terminal is read, paid for, and resumed after a kill."""
    turns = at.model.turns()
    at.keys(command)
    at.goes_on(1)
    if confirms:
        at.mark("asks where", "ready", "waiting_input")
        at.keys("Enter")
        at.goes_on(2)
    at.keys("Enter")
    at.mark("begins", "ready")
    at.goes_on(2)
    at.say(":say in the new one")
    at.mark("told", "ready", "active")
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
    assert heard(at) == [":say in the new one", ":say after the restore"], f"it is another conversation: {heard(at)}"


def heard(at: Bench) -> list[str]:
    """What was said to it in the conversation that the model answered last."""
    # some add rules of their own to what they are told
    return [words.strip().splitlines()[0] for words in [one for one in at.model.good if one.scripted][-1].heard]
