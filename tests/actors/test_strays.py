"""A project that is renamed, moved, given another runtime or agent, or that leaves the file,
while its sessions live.
"""

from __future__ import annotations

from typing import Any

import pytest

from ennio.model.errors import Refused
from ennio.model.session import SessionStatus
from tests.actors.ground import Play, Stage


def _stray(play: Play) -> str:
    """A session that works, and whose project has left the file."""
    with play.opened() as stage:
        session_id = stage.working()
    play.settings["project"] = {"id": "another", "name": "another"}
    return session_id


def test_a_session_whose_project_left_the_file_is_shown_so_with_the_way_out(play: Play) -> None:
    session_id = _stray(play)
    for _ in range(2):
        with play.opened() as stage:
            session = stage.session(session_id)
            assert session.status is SessionStatus.WORKING, "what was known last"
            assert session.no_signal_since is not None
            assert "its project play is not in" in (session.reason or "")
            assert f"ennio session kill {session_id}" in (session.reason or "")
            assert stage.types(session_id).count("signal_lost") == 1, "told once"
    assert session_id in play.runtime.survey(), "its agent goes on"


@pytest.mark.parametrize("order", ["restore", "send", "interrupt", "answer"])
def test_no_order_to_it_answers_well_and_does_nothing(play: Play, order: str) -> None:
    session_id = _stray(play)
    with play.opened() as stage:
        words: tuple[Any, ...] = ("words",) if order in ("send", "answer") else ()
        with pytest.raises(Refused, match="its project play is not in"):
            getattr(stage.orchestrator.sessions, order)(session_id, *words)
        assert stage.messages(session_id)[1:] == []


def test_it_can_be_killed_and_is_dead_then(play: Play) -> None:
    session_id = _stray(play)
    with play.opened() as stage:
        assert stage.orchestrator.sessions.kill(session_id).status is SessionStatus.KILLED
        assert play.runtime.survey() == {}
        assert stage.types(session_id).count("session_killed") == 1
        assert stage.orchestrator.sessions.kill(session_id).status is SessionStatus.KILLED, (
            "a second kill is fine"
        )


def test_it_is_looked_after_again_once_its_project_is_back(play: Play) -> None:
    session_id = _stray(play)
    with play.opened():
        pass
    del play.settings["project"]
    with play.opened() as stage:
        _goes_on(stage, session_id)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Another Name"},
        {"runtime": "process"},
        {"agent": "command"},
        {"workspace": "clone"},
    ],
)
def test_a_project_that_is_changed_keeps_its_sessions_as_they_were_begun(
    play: Play, change: dict[str, Any]
) -> None:
    with play.opened() as stage:
        session_id = stage.working()
    play.settings["project"] = change
    with play.opened() as stage:
        _goes_on(stage, session_id)


def test_who_waits_of_a_project_that_left_goes_on_waiting(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.spawn(held=True)
    play.settings["project"] = {"id": "another", "name": "another"}
    with play.opened() as stage:
        stage.orchestrator.queue.release(session_id)
        stage.quiet()
        assert [waiting.session_id for waiting in stage.deps.store.queue.list()] == [session_id]
        assert stage.orchestrator.sessions.kill(session_id).status is SessionStatus.KILLED
        assert stage.deps.store.queue.list() == ()


def _goes_on(stage: Stage, session_id: str) -> None:
    stage.look()
    session = stage.session(session_id)
    assert (session.status, session.no_signal_since) == (SessionStatus.WORKING, None)
    stage.runtime.finish(session_id, exit_code=3)
    stage.until(session_id, SessionStatus.EXITED)
