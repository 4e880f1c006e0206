"""Messages to an agent: never lost, never twice, never into a dialog."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from ennio.model.errors import Unreachable
from ennio.model.message import MessageState, Origin, with_reasons
from ennio.model.pulls import CheckState
from ennio.model.session import Activity, SessionStatus
from ennio.plugins.runtime.interface import Key
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _state(stage: Stage, message_id: str) -> MessageState:
    message = stage.deps.store.messages.get(message_id)
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


def test_news_of_the_agent_ends_the_pause_of_what_waits_for_it(play: Play) -> None:
    play.agent.carries = False
    play.runtime.deaf = True
    with play.opened() as stage:
        session_id = stage.launched("Write")
        stage.says(session_id, Activity.READY, ready=True)
        eventually(lambda: stage.messages(session_id)[0].state is MessageState.SENT_UNSURE)
        stage.agent.took(session_id, stage.clock.now(), "Write")
        stage.says(session_id, Activity.ACTIVE, prompts=1)
        # the clock stands still: no pause ends by itself
        eventually(lambda: stage.messages(session_id)[0].state is MessageState.DELIVERED)


def test_incident_26_enter_is_pressed_apart_and_again_when_it_was_lost(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.deaf = True
    message = stage.orchestrator.sessions.send(session_id, "line one\nline two")
    eventually(lambda: _state(stage, message.id) is MessageState.SENT_UNSURE)
    stage.runtime.deaf = False
    stage.pass_time(3)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
    assert stage.runtime.pasted(session_id) == ["line one\nline two"], (
        "typed once; only Enter was repeated"
    )
    assert stage.runtime.presses.count((session_id, Key.ENTER)) >= 2


def test_incident_27_nothing_is_typed_into_a_dialog(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.WAITING_INPUT, question="May I?")
    stage.agent.typable = False
    message = stage.orchestrator.sessions.send(session_id, "yes")
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
    message = stage.orchestrator.sessions.send(session_id, "go on")
    eventually(lambda: _state(stage, message.id) is MessageState.SENT_UNSURE)
    _ticks(stage, 3)
    assert stage.runtime.presses.count((session_id, Key.ENTER)) == 1
    assert _state(stage, message.id) is MessageState.SENT_UNSURE


def test_incident_30_what_escape_put_back_of_our_words_is_not_sent_with_the_next(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.orchestrator.sessions.send(session_id, "words that are put back")
    eventually(lambda: stage.messages(session_id)[-1].state is MessageState.DELIVERED)
    stage.runtime.show(session_id, "> words that are put back")
    stage.orchestrator.sessions.send(session_id, "fresh words")
    eventually(lambda: stage.messages(session_id)[-1].state is MessageState.DELIVERED)
    assert stage.runtime.pasted(session_id) == ["words that are put back", "fresh words"]
    assert Key.CLEAR in [key for _, key in stage.runtime.presses]


def _waits_for_a_person(stage: Stage, words: str = "mine: please do not") -> tuple[str, str]:
    """A session in whose terminal somebody has begun to type, and the
    message that waits for them.
    """
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.show(session_id, f"> {words}")
    message = stage.orchestrator.sessions.send(session_id, "go on")
    eventually(lambda: "waits for the person" in stage.messages(session_id)[-1].detail)
    return session_id, message.id


def test_a_message_says_at_once_that_the_agent_is_at_work(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE)
    message = stage.orchestrator.sessions.send(session_id, "go on")
    eventually(
        lambda: stage.messages(session_id)[-1].detail == "waits until the agent has done its turn"
    )
    second = stage.orchestrator.sessions.send(session_id, "and then on")
    stage.quiet()
    _, told, behind = with_reasons(stage.messages(session_id))
    assert behind == replace(second, detail=f"is behind an earlier message, which {told.detail}")
    shown = stage.orchestrator.sessions.detail(session_id).message_waits
    assert shown is not None
    assert shown.reason == "waits until the agent has done its turn"
    stage.rests(session_id)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
    assert stage.orchestrator.sessions.detail(session_id).message_waits is None


def test_a_message_says_that_the_working_copy_is_gone(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    shutil.rmtree(stage.deps.home.workspace("stub", "play", session_id))
    eventually(lambda: "is gone" in (stage.session(session_id).reason or ""))
    stage.orchestrator.sessions.send(session_id, "go on")
    eventually(lambda: "is gone" in stage.messages(session_id)[-1].detail)
    stage.working("another one, so that all are asked at once")
    shown = {view.id: view.message_waits for view in stage.orchestrator.sessions.list()}[session_id]
    assert shown is not None
    assert "is gone" in shown.reason


def test_a_message_waits_visibly_while_a_person_types_and_costs_no_attempt(stage: Stage) -> None:
    session_id, message_id = _waits_for_a_person(stage)
    for _ in range(8):
        stage.pass_time(20)
        _ticks(stage, 1)
    waiting = stage.deps.store.messages.get(message_id)
    assert waiting is not None
    assert (waiting.state, waiting.attempts) == (MessageState.QUEUED, 0)
    assert (stage.runtime.presses, stage.runtime.pastes) == ([], [])
    stage.runtime.show(session_id, "> ")
    stage.pass_time(20)
    eventually(lambda: _state(stage, message_id) is MessageState.DELIVERED)


def test_after_the_patience_what_a_person_typed_is_put_aside_and_back(stage: Stage) -> None:
    session_id, message_id = _waits_for_a_person(stage)
    stage.pass_time(601)
    stage.hooks["enter"] = lambda name: stage.runtime.show(name, "> ")
    eventually(lambda: _state(stage, message_id) is MessageState.DELIVERED)
    eventually(lambda: stage.runtime.pasted(session_id) == ["go on", "mine: please do not"])
    assert stage.runtime.screens([session_id])[session_id] == "> mine: please do not"
    assert any(
        "was put aside" in words and words.endswith("mine: please do not")
        for words in stage.words(session_id)
    )
    eventually(lambda: stage.deps.store.agents.get(session_id).draft is None)


def test_what_was_put_aside_comes_back_after_a_crash(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.deps.store.agents.save_draft(session_id, "mine: please do not")
    stage.runtime.show(session_id, "> ")
    stage.crash_session(session_id)
    eventually(lambda: stage.runtime.pasted(session_id) == ["mine: please do not"])
    assert Key.ENTER not in [key for _, key in stage.runtime.presses]


def test_one_message_that_nobody_can_confirm_blocks_nobody(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.runtime.deaf = True
    stage.hooks["enter"] = lambda _name: setattr(stage.agent, "typable", False)
    first, second = (
        stage.orchestrator.sessions.send(session_id, "go on"),
        stage.orchestrator.sessions.send(session_id, "and on"),
    )
    eventually(lambda: _state(stage, first.id) is MessageState.SENT_UNSURE)
    for _ in range(14):
        stage.pass_time(30)
        _ticks(stage, 1)
    eventually(lambda: _state(stage, first.id) is MessageState.FAILED)
    assert any("nobody could confirm" in words for words in stage.words(session_id))
    assert any(
        "nobody could confirm" in notice.message
        for notice in stage.deps.store.notifications.list(10)
    )
    stage.runtime.deaf, stage.agent.typable = False, True
    stage.runtime.show(session_id, "> ")
    stage.pass_time(60)
    eventually(lambda: _state(stage, second.id) is MessageState.DELIVERED)


def test_a_busy_agent_is_not_typed_to(stage: Stage) -> None:
    session_id = stage.working()
    message = stage.orchestrator.sessions.send(session_id, "wait for me")
    _ticks(stage, 3)
    assert not stage.runtime.pastes
    assert _state(stage, message.id) is MessageState.QUEUED
    stage.rests(session_id)
    eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)


def test_messages_arrive_in_the_order_in_which_they_were_sent(stage: Stage) -> None:
    session_id = stage.working()
    for number in range(5):
        stage.orchestrator.sessions.send(session_id, f"number {number}")
        stage.pass_time(0.001)
    stage.rests(session_id)
    eventually(lambda: len(stage.runtime.pasted(session_id)) == 5)
    assert stage.runtime.pasted(session_id) == [f"number {number}" for number in range(5)]


def test_incident_21_a_send_that_fails_is_kept_and_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)

    def lost(*_words: object) -> None:
        raise Unreachable("the terminal did not answer")

    with monkeypatch.context() as patched:
        patched.setattr(stage.runtime, "paste", lost)
        stage.forge.checks(number, CheckState.FAILING)
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
    message = stage.orchestrator.sessions.send(session_id, "hello?")

    def failed() -> bool:
        stage.runtime.show(session_id, "")  # whatever was typed is swallowed
        stage.pass_time(31)
        return _state(stage, message.id) is MessageState.FAILED

    eventually(failed)
    assert "message_failed" in stage.types(session_id)
    assert len(stage.runtime.pasted(session_id)) == 5


def test_messages_of_a_killed_session_are_dropped_with_a_reason(stage: Stage) -> None:
    session_id = stage.working()
    message = stage.orchestrator.sessions.send(session_id, "too late")
    stage.orchestrator.sessions.kill(session_id)
    stored = stage.deps.store.messages.get(message.id)
    assert stored is not None
    assert (stored.state, stored.detail) == (MessageState.DROPPED, "the session has ended")


def test_an_agent_that_does_not_tell_gets_each_message_once(play: Play) -> None:
    play.agent.reports_activity = False
    with play.opened() as stage:
        session_id = stage.launched()
        stage.says(session_id, Activity.READY, ready=True)
        stage.until(session_id, SessionStatus.WORKING)
        message = stage.orchestrator.sessions.send(session_id, "once")
        eventually(lambda: _state(stage, message.id) is MessageState.DELIVERED)
        _ticks(stage, 3)
        assert stage.runtime.pasted(session_id) == ["once"]
