"""Messages to an agent: never lost, never twice, never into a dialog."""

from __future__ import annotations

import pytest

from ennio.errors import Unreachable
from ennio.message import MessageState, Origin
from ennio.model import Activity, SessionStatus
from ennio.plugins.runtime.interface import Key
from ennio.pulls import CheckState
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _state(stage: Stage, message_id: str) -> MessageState:
    message = stage.parts.store.messages.get(message_id)
    assert message is not None
    return message.state


def _ticks(stage: Stage, count: int = 5) -> None:
    for _ in range(count):
        stage.pass_time(3)
        stage.look()


def test_incident_25_a_prompt_is_not_typed_before_the_agent_is_ready(play: Play) -> None:
    play.agent.carries = False
    with play.opened() as stage:
        session_id = stage.launched("Write")
        _ticks(stage, 3)
        assert not stage.runtime.pastes
        (prompt,) = stage.messages(session_id)
        assert (prompt.state, prompt.origin) == (MessageState.QUEUED, Origin.PROMPT)
        stage.says(session_id, Activity.READY, ready=True)
        eventually(lambda: _state(stage, prompt.id) is MessageState.DELIVERED)
        assert len(stage.runtime.pasted(session_id)) == 1


def test_incident_25_what_the_agent_does_not_confirm_is_not_called_delivered(play: Play) -> None:
    play.agent.carries = False
    play.runtime.deaf = True
    with play.opened() as stage:
        session_id = stage.launched("Write")
        stage.says(session_id, Activity.READY, ready=True)
        eventually(lambda: stage.messages(session_id)[0].state is MessageState.SENT_UNSURE)
        assert "message_delivered" not in stage.types(session_id)


def test_incident_26_enter_is_pressed_apart_and_again_when_it_was_lost(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.deaf = True
    message = stage.house.send(session_id, "line one\nline two")
    eventually(lambda: _state(stage, message.id) is MessageState.SENT_UNSURE)
    stage.runtime.deaf = False
    stage.pass_time(3)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
    assert stage.runtime.pasted(session_id) == ["line one\nline two"], "typed once; only Enter was repeated"
    assert stage.runtime.presses.count((session_id, Key.ENTER)) >= 2


def test_incident_27_nothing_is_typed_into_a_dialog(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.WAITING_INPUT, question="May I?")
    stage.agent.typable = False
    message = stage.house.send(session_id, "yes")
    eventually(lambda: "no place to type" in stage.messages(session_id)[-1].detail)
    _ticks(stage, 3)
    assert not stage.runtime.pastes
    assert not stage.runtime.presses
    assert _state(stage, message.id) is MessageState.QUEUED
    stage.agent.typable = True
    stage.pass_time(3)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)


def test_incident_27_enter_is_not_pressed_again_once_a_dialog_has_come_up(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.deaf = True
    stage.hooks["enter"] = lambda _name: setattr(stage.agent, "typable", False)
    message = stage.house.send(session_id, "go on")
    eventually(lambda: _state(stage, message.id) is MessageState.SENT_UNSURE)
    _ticks(stage, 3)
    assert stage.runtime.presses.count((session_id, Key.ENTER)) == 1
    assert _state(stage, message.id) is MessageState.SENT_UNSURE


def test_incident_30_the_input_box_is_emptied_before_a_message(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.house.send(session_id, "fresh words")
    eventually(lambda: stage.messages(session_id)[-1].state is MessageState.DELIVERED)
    keys = [key for name, key in stage.runtime.presses if name == session_id]
    assert keys[0] is Key.CLEAR
    assert keys[-1] is Key.ENTER


def test_a_busy_agent_is_not_typed_to(stage: Stage) -> None:
    session_id = stage.working()
    message = stage.house.send(session_id, "wait for me")
    _ticks(stage, 3)
    assert not stage.runtime.pastes
    assert _state(stage, message.id) is MessageState.QUEUED
    stage.rests(session_id)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)


def test_messages_arrive_in_the_order_in_which_they_were_sent(stage: Stage) -> None:
    session_id = stage.working()
    for number in range(5):
        stage.house.send(session_id, f"number {number}")
        stage.clock.advance(0.001)
    stage.rests(session_id)
    eventually(lambda: len(stage.runtime.pasted(session_id)) == 5)
    assert stage.runtime.pasted(session_id) == [f"number {number}" for number in range(5)]


def test_incident_21_a_send_that_fails_is_kept_and_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)

    def lost(*_words: object) -> None:
        raise Unreachable("the terminal did not answer")

    with monkeypatch.context() as patched:
        patched.setattr(stage.runtime, "paste", lost)
        stage.scm.checks(number, CheckState.FAILING)
        stage.until(session_id, SessionStatus.CI_FAILED)
        (message,) = eventually(lambda: stage.told(session_id, "ci-failed"))  # type: ignore[misc]
        eventually(lambda: _state(stage, message.id) is MessageState.SENT_UNSURE)
    _ticks(stage, 3)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
    assert len(stage.runtime.pasted(session_id)) == 1


def test_a_message_that_never_arrives_fails_in_the_open(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.deaf = True
    message = stage.house.send(session_id, "hello?")

    def failed() -> bool:
        stage.runtime.show(session_id, "")  # whatever was typed is swallowed
        stage.pass_time(31)
        return _state(stage, message.id) is MessageState.FAILED

    eventually(failed)
    assert "message_failed" in stage.types(session_id)
    assert len(stage.runtime.pasted(session_id)) == 5


def test_messages_of_a_killed_session_are_dropped_with_a_reason(stage: Stage) -> None:
    session_id = stage.working()
    message = stage.house.send(session_id, "too late")
    stage.house.kill(session_id)
    stored = stage.parts.store.messages.get(message.id)
    assert stored is not None
    assert (stored.state, stored.detail) == (MessageState.DROPPED, "the session has ended")


def test_an_agent_that_does_not_tell_gets_each_message_once(play: Play) -> None:
    play.agent.tells = False
    with play.opened() as stage:
        session_id = stage.launched()
        stage.says(session_id, Activity.READY, ready=True)
        stage.until(session_id, SessionStatus.WORKING)
        message = stage.house.send(session_id, "once")
        eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
        _ticks(stage, 3)
        assert stage.runtime.pasted(session_id) == ["once"]
