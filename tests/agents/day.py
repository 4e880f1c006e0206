"""A whole day of one agent, the same for all of them; in what they differ
stands in their ``Manners``.

It is spawned with its prompt, works and asks; a person answers with ``ennio answer``. A message
comes while it is busy. A person stops it in its terminal. The model answers 500, then 429, for a
while. It is killed, and goes on in the very conversation. The supervisor is killed, and another
goes on. A scene or two of its own are played. It leaves by itself. All the while what Ennio says of it is compared twice a second with
what the model knows, and now and then the books with what the model counted of each request.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ennio.model.errors import EnnioError
from tests.agents import books
from tests.agents.bench import FEW, Bench, Scenes
from tests.agents.books import Agent
from tests.conftest import eventually

# seconds for what takes as long as the machine takes: a start, a try after many that failed
PATIENCE = 90.0
MANY = 40  # answers that fail; they end when Ennio says so


@dataclass(frozen=True, slots=True)
class Manners:
    """What one agent does in its own way.

    ``choices`` is what an answer that fits none is told. ``unanswered`` and ``answered`` are called
    while it asks, and when it was answered. ``works`` is what its screen shows while it answers.
    ``stops`` are the keys that stop it in its terminal, each with what that shows, ``leaves`` what
    ends it. ``gives_up`` is the HTTP code that it never tries again after. ``work`` is a first step
    of a prompt that it does without asking. ``alone``: it is at work when the supervisor dies.
    """

    choices: str
    unanswered: Callable[[Bench], None] = lambda _: None
    answered: Callable[[Bench], None] = lambda _: None
    works: str = "esc to interrupt"
    stops: tuple[tuple[str, str], ...] = (("Escape", ""),)
    leaves: str = "/exit"
    gives_up: int = 0
    work: str = ""
    alone: bool = False


def day(at: Bench, manners: Manners, agent: Agent, scenes: Scenes) -> None:
    """All of it, and at its end the judgement."""
    at.model.caches = True
    works_and_asks(at, manners)
    is_told_something_while_busy(at)
    books.agree(at, agent)
    is_stopped_by_a_person(at, manners)
    for code in (500, 429):
        the_model_is_in_trouble(at, code, manners)
    is_killed_and_goes_on(at, manners)
    at.tells_tokens(15)
    books.agree(at, agent)
    loses_its_supervisor(at, manners)
    books.agree(at, agent)  # what was read is not posted again by the next one
    books.are_reported(at, agent)
    for name, scene in scenes[:FEW]:
        with at.scene(name):
            scene(at)
    leaves(at, manners)
    at.is_judged()


def works_and_asks(at: Bench, manners: Manners) -> None:
    at.spawn(":think 3\n:ask touch first.txt && echo made\n\n:say all is well", judged=True)
    at.becomes("waiting_input", PATIENCE)
    eventually(
        lambda: "touch first.txt" in (at.view()["question"] or ""), 30, "the question is told"
    )  # a screen can be half painted
    at.goes_on(3)
    with pytest.raises(EnnioError, match=manners.choices):
        at.answer("perhaps")
    manners.unanswered(at)
    at.mark("is being answered", "active", "waiting_input")
    answered = at.house.ground.ennio("answer", at.session, "yes")
    assert answered.code == 0, answered.err
    manners.answered(at)
    at.rests()
    (Path(at.view()["workspace_path"]) / "first.txt").unlink()


def is_told_something_while_busy(at: Bench) -> None:
    turns = at.model.turns()
    at.say(":think 8\n:say one more")
    at.becomes("active")
    at.say(":say the message that waited")
    assert [message["state"] for message in at.delivered()][-1] == "queued"
    at.ends_turns(turns + 2)
    at.rests()


def is_stopped_by_a_person(at: Bench, manners: Manners) -> None:
    """What comes back into the place to type is not sent with the next message."""
    turns = at.model.turns()
    at.say(":think 20\n:say never said\n\nwith more\nlines")
    _is_answering(at, manners)
    at.mark("stopped", "ready")
    for key, shown in manners.stops:
        at.keys(key)
        at.shows(shown)
    at.rests()
    at.hides(manners.works)
    at.goes_on(2)
    at.say("!touch not-a-command.txt\n:say after the stop")
    at.ends_turns(turns + 1)
    assert _heard(at)[-1].strip().startswith("!touch not-a-command.txt\n:say after the stop")
    assert not (Path(at.view()["workspace_path"]) / "not-a-command.txt").exists()
    at.rests()


def the_model_is_in_trouble(at: Bench, code: int, manners: Manners) -> None:
    turns = at.model.turns()
    at.model.trouble += [code] * MANY
    at.say(f":say after {code}")
    if code == manners.gives_up:
        eventually(lambda: str(code) in (at.view()["summary"] or ""), 30, "it says why it gave up")
        at.mark("gave up", "ready")
        at.goes_on(3)
    else:
        at.becomes("blocked", PATIENCE)
        at.goes_on(1)
    at.model.trouble.clear()
    if code == manners.gives_up:
        at.say(f":say after {code}")
    at.ends_turns(turns + 1, PATIENCE)
    at.rests()


def is_killed_and_goes_on(at: Bench, manners: Manners) -> None:
    turns = at.model.turns()
    at.say(f"{manners.work}:think 30\n:say never said")
    _is_answering(at, manners)
    at.mark("killed", "exited")
    os.kill(at.pid(), signal.SIGKILL)
    at.becomes("exited")
    at.goes_on(
        2
        # its last request breaks off; a model that answers in one piece learns of that when it has
        # thought
    )
    at.mark("started again", "exited", "None", "ready")
    at.house.client.post(f"/sessions/{at.session}/restore")
    at.becomes("ready", PATIENCE)
    at.mark("resumed", "ready")
    at.say(":say after the kill")
    at.mark(
        "told", "ready", "active"
    )  # a fresh start takes seconds from its first prompt to its first request
    at.ends_turns(turns + 1, PATIENCE)
    at.rests()
    assert _heard(at)[-1].strip().startswith(":say after the kill")
    assert any(":say after 500" in words for words in _heard(at)), (
        f"it is another conversation: {_heard(at)}"
    )


def loses_its_supervisor(at: Bench, manners: Manners) -> None:
    """What it did meanwhile is known to the next one, which hears of what it does from then on."""
    turns = at.model.turns()
    if manners.alone:
        at.say(":think 8\n:say said to nobody")
        at.becomes("active")
        eventually(lambda: at.delivered()[-1]["state"] == "delivered", 30, "it is delivered")
        assert at.model.turns() == turns
    at.house.kill_everything()
    at.ends_turns(turns + manners.alone)
    at.mark("another supervisor looks", "ready", "active", "None")
    at.house.start()
    at.rests()
    if manners.alone:
        at.tells_tokens()
        assert at.view()["summary"] == "said to nobody"
    at.mark("told", "ready", "active")
    at.say(":think 3\n:say to the next one")
    at.becomes("active")
    at.ends_turns(turns + manners.alone + 1)
    at.rests()


def leaves(at: Bench, manners: Manners) -> None:
    at.mark("leaves", "exited", "ready")
    at.types(manners.leaves)
    at.keys("Enter")
    at.becomes("exited")
    eventually(
        lambda: at.view()["status"] == "done", 30, f"exit 0 is the end of its work: {at.view()}"
    )


def _heard(at: Bench) -> tuple[str, ...]:
    """What was said to it in the conversation that the model answered last."""
    return [served for served in at.model.good if served.scripted][-1].heard


def _is_answering(at: Bench, manners: Manners) -> None:
    at.becomes("active")
    # of a step before it an agent that is killed at once may not have written down what it used
    eventually(lambda: at.model.busy_for(1), 30, "the model thinks")
    at.shows(manners.works)
