"""What a person orders while a step is in hand waits beside for its end; nobody sends them away who
knows when that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest
from gevent.event import Event

from ennio.actors import waiting_orders
from ennio.actors.messages import Ping
from ennio.actors.registry import session_name
from ennio.hosts.delivery import Arrival, Delivery
from ennio.hosts.plugin_host import PluginHost
from ennio.model.errors import Conflict
from ennio.model.facts import Presence
from ennio.model.session import Activity
from tests.actors.ground import Stage
from tests.conftest import eventually


@dataclass
class Held:
    """A session that asks, with a message that is just being delivered for as long as wanted."""

    stage: Stage
    session_id: str
    pressed: list[str] = field(default_factory=list)
    goes_on: Event = field(default_factory=Event)

    def order(self, verb: str, *words: str) -> gevent.Greenlet:
        """A person orders it; once the session's actor has it."""
        order = gevent.spawn(
            getattr(self.stage.orchestrator.sessions, verb), self.session_id, *words
        )
        gevent.sleep(0)
        self.stage.deps.actors.ask(session_name(self.session_id), Ping())
        return order

    def asks(self, question: str) -> None:
        self.stage.says(self.session_id, Activity.WAITING_INPUT, question=question)
        eventually(
            lambda: (
                (agent := self.stage.deps.store.facts.get(self.session_id).agent) is not None
                and agent.question == question
            )
        )


@pytest.fixture
def held(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    begun, session_id = Event(), stage.working()
    house = Held(stage, session_id)

    def slow(*_: Any) -> Delivery:
        begun.set()
        house.goes_on.wait(120)
        return Delivery(Arrival.NOT_NOW, "it asks something")

    monkeypatch.setattr(PluginHost, "obstacle", slow)
    monkeypatch.setattr(PluginHost, "answer", lambda _, __, text: house.pressed.append(text))
    monkeypatch.setattr(PluginHost, "interrupt", lambda _, __: house.pressed.append("Escape"))
    stage.rests(session_id)
    stage.orchestrator.sessions.send(session_id, "and then this")
    assert begun.wait(60), "a message is being delivered"
    house.asks("Go on?")
    eventually(lambda: stage.session(session_id).activity is Activity.WAITING_INPUT)
    yield house
    house.goes_on.set()


@pytest.mark.parametrize(("verb", "words"), [("answer", ("yes",)), ("interrupt", ())])
def test_an_order_waits_for_the_end_of_the_step_in_hand(
    held: Held, verb: str, words: tuple[str, ...]
) -> None:
    order = held.order(verb, *words)
    assert (order.ready(), held.pressed) == (False, [])
    held.goes_on.set()
    order.get(timeout=60)
    assert held.pressed == list(words or ("Escape",))


def test_an_answer_is_refused_once_the_step_takes_too_long(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_orders, "PATIENCE", 0.05)
    with pytest.raises(Conflict, match="delivering a message"):
        held.order("answer", "yes").get(timeout=60)
    assert held.pressed == []


def test_an_interrupt_is_pressed_though_the_step_takes_too_long(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_orders, "PATIENCE", 0.05)
    held.order("interrupt").get(timeout=60)
    assert held.pressed == ["Escape"]


def test_what_was_asked_is_looked_at_again_when_an_answer_has_waited(held: Held) -> None:
    order = held.order("answer", "yes")
    held.asks("Delete everything?")
    held.goes_on.set()
    with pytest.raises(Conflict, match="something else by now"):
        order.get(timeout=60)
    assert held.pressed == []


def test_of_two_answers_to_one_question_that_wait_one_is_given(held: Held) -> None:
    orders = [held.order("answer", "yes"), held.order("answer", "no")]
    held.goes_on.set()
    orders[0].get(timeout=60)
    with pytest.raises(Conflict, match="was answered meanwhile"):
        orders[1].get(timeout=60)
    assert held.pressed == ["yes"]


def test_a_kill_ends_an_order_that_waits(held: Held) -> None:
    order = held.order("answer", "yes")
    held.stage.orchestrator.sessions.kill(held.session_id)
    with pytest.raises(Conflict, match="it is being ended"):
        order.get(timeout=60)
    assert held.pressed == []


def test_an_answer_waits_for_the_next_look_at_its_agent(held: Held) -> None:
    held.goes_on.set()
    stage, name = held.stage, session_name(held.session_id)
    stage.runtime.unreachable = "tmux did not answer within 5 s"
    eventually(
        lambda: (
            (seen := stage.deps.store.facts.get(held.session_id).process) is not None
            and seen.presence is Presence.UNKNOWN
        )
    )
    order = held.order("answer", "yes")
    assert not order.ready()
    stage.runtime.unreachable = ""
    order.get(timeout=60)
    assert (held.pressed, stage.alive(name)) == (["yes"], True)
