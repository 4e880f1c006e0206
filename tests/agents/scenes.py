"""Scenes that are the same for several agents: a person looks, types, waits, refuses, or
begins another conversation.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from ennio.model.errors import EnnioError
from ennio.model.message import PERSON
from tests.agents.bench import Bench
from tests.conftest import eventually

PATIENCE = 90.0
FRESH = r"(?s)\A(?!.*:say )"
"""A screen without anything that was said."""
HALF = "half a line"


def views(at: Bench, opens: tuple[str, ...], shows: str, leaves: str) -> None:
    """A person opens the agent's own view of the whole conversation, while it
    works and while it rests.
    """
    turns = at.model.turns()
    at.say(":think 8\n:say seen")
    at.becomes("active")
    eventually(lambda: at.model.busy, 30, "the model is asked")
    at.keys(*opens)
    at.shows(shows)
    at.ends_turns(turns + 1)
    at.rests()
    at.goes_on(5)
    at.shows(shows)
    at.keys(leaves)
    at.hides(shows)
    at.goes_on(2)


def types(at: Bench) -> None:
    """Words that a person has begun change nothing of what the agent does."""
    turns = at.model.turns()
    at.say(":think 5\n:say while they type")
    at.becomes("active")
    eventually(lambda: at.model.busy, 30, "the model is asked")
    at.keys("-l", "please do not")
    at.ends_turns(turns + 1)
    at.rests()
    at.goes_on(3)
    at.shows("please do not")
    at.keys("C-u")
    at.hides("please do not")
    at.goes_on(1)


def begins_to_type(at: Bench, *, put_aside: bool = True) -> None:
    """A message goes past the line that a person has begun, which then stands there as
    before, and was sent to nobody.

    ``put_aside``: the message is typed, so that what stands there has to make room for it.
    """
    turns, told = at.model.turns(), len(_put_aside(at))
    at.types(HALF)
    at.say(":say past the half line")
    if put_aside:
        eventually(
            lambda: at.delivered()[-1]["detail"] == PERSON,
            30,
            f"it waits for the person: {at.delivered()[-1]}",
        )
    at.ends_turns(turns + 1, PATIENCE)
    eventually(
        lambda: at.delivered()[-1]["state"] == "delivered",
        30,
        f"it is delivered: {at.delivered()[-1]}",
    )
    at.rests()
    eventually(
        lambda: len(_put_aside(at)) == told + 2 * put_aside,
        30,
        f"it is put aside and put back: {_put_aside(at)[told:]}",
    )
    eventually(lambda: _typed(at) == HALF, 30, f"it stands there again: {at.line()}\n{at.screen()}")
    at.goes_on(2)
    assert _typed(at) == HALF
    assert len(_put_aside(at)) == told + 2 * put_aside, _put_aside(at)[told:]
    assert not any(HALF in words for one in at.model.log for words in (one.words, *one.heard))
    at.presses("C-u")
    assert HALF not in at.line()


def waits(at: Bench) -> None:
    """A tool that takes long is work, though nothing moves."""
    turns = at.model.turns()
    at.say(":run sleep 15\n:say slept")
    at.becomes("active")
    at.ends_turns(turns + 1, PATIENCE)
    at.rests()


def waits_when_allowed(at: Bench) -> None:
    """The same where a person has to allow it; that it is done is told to no model by some."""
    done = Path(at.view()["workspace_path"]) / "slept.txt"
    at.say(":ask sleep 15 && touch slept.txt\n:say slept")
    at.becomes("waiting_input")
    at.mark("is being answered", "active", "waiting_input")
    at.answer("yes")
    at.becomes("active", 30)
    at.mark("answered", "active")
    eventually(done.exists, PATIENCE, "it has slept")
    at.mark("slept", "active", "ready")
    at.rests()
    done.unlink()


def refuses(at: Bench) -> None:
    """A permission is refused through the API, which takes no answer where nothing is asked; and
    what the agent does next is broken off through it.
    """
    at.ends_turns(1)
    at.rests()
    with pytest.raises(EnnioError, match="asks nothing just now"):
        at.answer("yes")
    at.say(":ask touch refused.txt\n:say well")
    at.becomes("waiting_input")
    at.mark("is being refused", "ready", "active", "waiting_input")
    at.answer("no")
    at.rests()
    at.mark("refused", "ready")
    assert not (Path(at.view()["workspace_path"]) / "refused.txt").exists()
    at.say(":think 20\n:say never said")
    at.becomes("active")
    eventually(lambda: at.model.busy, 30)
    at.mark("interrupted", "ready")
    at.house.client.post(f"/sessions/{at.session}/interrupt")
    at.rests()
    eventually(
        lambda: [served.end for served in at.model.log if served.scripted][-1] == "broken",
        30,
        "the agent has hung up",
    )


def begins_another(at: Bench, command: str, shows: str = FRESH, *, confirms: str = "") -> None:
    """The conversation that a person began in its terminal is read, paid for,
    and resumed after a kill.

    ``shows`` is how one sees that it has begun, ``confirms`` a question before
    that, which Enter answers.
    """
    turns = at.model.turns()
    at.types(command)
    if confirms:
        at.mark("asks where", "ready", "waiting_input")
        at.keys("Enter")
        at.shows(confirms)
        at.comes_to_rest()
    at.keys("Enter")
    at.mark("begins", "ready")
    at.shows(shows)
    at.comes_to_rest()
    at.say(":say in the new one")
    at.mark("told", "ready", "active")
    at.ends_turns(turns + 1)
    at.rests()
    at.tells_tokens(15)
    at.mark("killed", "exited")
    os.kill(at.pid(), signal.SIGKILL)
    at.becomes("exited")
    at.mark("started again", "exited", "None", "ready")
    at.house.client.post(f"/sessions/{at.session}/restore")
    at.becomes("ready", PATIENCE)
    at.mark("resumed", "ready")
    at.say(":say after the restore")
    at.mark("told", "ready", "active")
    at.ends_turns(turns + 2, PATIENCE)
    at.rests()
    assert heard(at) == [":say in the new one", ":say after the restore"], (
        f"it is another conversation: {heard(at)}"
    )


def heard(at: Bench) -> list[str]:
    """What was said to it in the conversation that the model answered last."""
    # some add rules of their own to what they are told
    return [
        words.strip().splitlines()[0]
        for words in [one for one in at.model.good if one.scripted][-1].heard
    ]


def _typed(at: Bench) -> str:
    """What stands in the line of the cursor behind the mark of a place to type; some
    show other things beside it.
    """
    found = re.match(r"\W*(?:[\w-]+>)?\W*(.*?)(?:\s{3,}.*)?$", at.line())
    return found[1] if found else ""


def _put_aside(at: Bench) -> list[str]:
    """What was told of a person's words that were put aside and put back."""
    steps = at.house.events(session_id=at.session, type="session_step")
    return [event["message"] for event in steps if event["data"]["step"] == "draft"]
