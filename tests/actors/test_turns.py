"""Whose turn it is, as sessions that live are shown: from the first prompt to the merge, and after
a restart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ennio.actors.orchestrator.session_view import SessionView
from ennio.model.errors import Conflict, Refused
from ennio.model.pulls import CheckState
from ennio.model.session import Activity, SessionStatus
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _row(stage: Stage, session_id: str) -> SessionView:
    (row,) = stage.orchestrator.sessions.list(ids=[session_id])
    return row


def _until(stage: Stage, session_id: str, words: str) -> SessionView:
    found = eventually(
        lambda: (row := _row(stage, session_id)) and f"{row.turn} {row.word}" == words and row,
        why=f"{words}; it is {_row(stage, session_id).word}",
    )
    assert isinstance(found, SessionView)
    return found


def test_a_life_is_a_change_of_turns_and_each_has_its_own_beginning(play: Play) -> None:
    with play.opened() as stage:
        held = stage.spawn("Fix the date\n\nin CI", held=True)
        waits = _until(stage, held, "world held")
        assert (waits.title, waits.turn_since) == ("Fix the date", stage.clock.now())
        stage.clock.advance(5)
        stage.orchestrator.queue.release(held)
        eventually(lambda: stage.session(held).runtime_handle)
        _until(stage, held, "agent starts")
        stage.settle_in(held)
        _until(stage, held, "agent works")
        stage.clock.advance(60)
        stage.says(held, Activity.WAITING_INPUT, question="Run npm install?")
        asked = _until(stage, held, "you asks")
        assert (asked.turn_why, asked.turn_since) == ("Run npm install?", stage.clock.now())
        assert asked.wants == ("answer", "interrupt")
        stage.clock.advance(600)
        assert _row(stage, held).turn_since == asked.turn_since
    with play.opened() as again:
        assert _until(again, held, "you asks").turn_since == asked.turn_since
        again.says(held, Activity.ACTIVE, ready=True)
        _until(again, held, "agent works")
        number = again.pull(held)
        again.forge.checks(number, CheckState.PENDING)
        _until(again, held, "world checks")
        again.forge.checks(number, CheckState.PASSING)
        ready = _until(again, held, "you merge")
        assert ready.wants == ("merge", "request-changes")
        again.orchestrator.pulls.merge("play", number)
        over = _until(again, held, "over merged")
        assert over.turn_since == again.clock.now()


def test_who_left_the_merge_queue_is_a_persons_turn_again(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        stage.forge.checks(number, CheckState.PASSING)
        _until(stage, session_id, "you merge")
        pulls = stage.orchestrator.pulls
        with pytest.raises(Refused, match="no queue to leave"):
            pulls.leave_queue("play", number)
        with pytest.raises(Refused, match="tells nobody of a review"):
            pulls.remind("play", number)

        def put(which: int, **changes: Any) -> None:
            stage.forge._keep(replace(stage.forge.look(which), **changes))

        monkeypatch.setattr(
            stage.forge, "withdraw", lambda which: put(which, merging=False), raising=False
        )
        monkeypatch.setattr(stage.forge, "remind", stage.forge.look, raising=False)
        with pytest.raises(Conflict, match="in no merge queue"):
            pulls.leave_queue("play", number)
        put(number, merging=True)
        stage.look()
        assert _until(stage, session_id, "world merging").wants == ("leave-queue",)
        pulls.leave_queue("play", number)
        _until(stage, session_id, "you merge")
        assert pulls.remind("play", number).number == number


def test_an_agent_that_crashed_and_is_started_again_is_no_turn_of_a_person(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        stage.crash_session(session_id)
        assert _row(stage, session_id).turn != "you"
        stage.runtime.finish(session_id, exit_code=1)
        stage.until(session_id, SessionStatus.EXITED)
        row = _until(stage, session_id, "you ended")
        assert row.wants[0] == "restore"
        assert stage.orchestrator.sessions.restore(session_id).id == session_id
