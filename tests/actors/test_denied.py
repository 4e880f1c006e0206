"""What is denied at a place where a session's files are is a person's to mend: it is told at the
session, whose actor lives on and goes on by itself once the place is open.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from ennio.actors.registry import session_name
from ennio.model.errors import Refused
from ennio.model.session import SessionStatus
from tests.actors.ground import Stage
from tests.conftest import eventually

PLACE = "/closed/file"
WORDS = f"nothing can be written at {PLACE}: permission denied"


def _denied(*_: Any, **__: Any) -> Any:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), PLACE)


def _only_asked(remove: Callable[..., Any]) -> Callable[..., Any]:
    """What would be removed can be seen, and nothing of it can be removed."""
    return lambda spec, *, dry_run=False: remove(spec, dry_run=True) if dry_run else _denied()


def _tells(stage: Stage, session_id: str, what: str) -> None:
    told = f"{what} failed: {WORDS}"
    eventually(lambda: told in stage.words(session_id), why=told)


def test_an_end_that_is_denied_is_told_and_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    actor = stage.deps.actors.ref(session_name(session_id))
    with monkeypatch.context() as closed:
        closed.setattr(stage.runtime, "stop", _denied)
        stage.orchestrator.sessions.kill(session_id)
        _tells(stage, session_id, "ending the agent")
        assert WORDS in (stage.session(session_id).reason or "")
    stage.pass_time(60)
    stage.until(session_id, SessionStatus.KILLED)
    assert stage.deps.actors.ref(session_name(session_id)) is actor, "it did not crash"


def test_a_look_that_is_denied_is_told_and_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    actor = stage.deps.actors.ref(session_name(session_id))
    with monkeypatch.context() as closed:
        closed.setattr(stage.workspace, "inspect", _denied)
        stage.runtime.finish(session_id, exit_code=0)
        _tells(stage, session_id, "looking at the workspace")
    stage.pass_time(60)
    eventually(lambda: stage.session(session_id).status.terminal)
    assert stage.deps.actors.ref(session_name(session_id)) is actor, "it did not crash"


def test_a_removal_that_is_denied_is_told_and_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    actor = stage.deps.actors.ref(session_name(session_id))
    stage.orchestrator.sessions.kill(session_id)
    stage.until(session_id, SessionStatus.KILLED)
    with monkeypatch.context() as closed:
        closed.setattr(stage.workspace, "remove", _only_asked(stage.workspace.remove))
        stage.orchestrator.workspaces.cleanup(session_id, None, dry_run=False, force=False)
        _tells(stage, session_id, "removing the workspace")
        assert stage.deps.actors.ref(session_name(session_id)) is actor, "it did not crash"
    stage.pass_time(60)
    eventually(lambda: "session_cleaned" in stage.types(session_id))


def test_a_message_that_cannot_be_noted_waits_with_the_reason(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    actor = stage.deps.actors.ref(session_name(session_id))
    stage.rests(session_id)

    def detail() -> str:
        return stage.messages(session_id)[-1].detail

    with monkeypatch.context() as closed:
        closed.setattr(stage.runtime, "paste", _denied)
        stage.orchestrator.sessions.send(session_id, "are you there")
        eventually(lambda: detail() == WORDS)
        closed.setattr(stage.runtime, "press", _denied)
        with pytest.raises(Refused, match=PLACE):
            stage.orchestrator.sessions.interrupt(session_id)
    for _ in range(3):
        stage.pass_time(60)
        stage.quiet()
    eventually(lambda: stage.messages(session_id)[-1].state.value == "delivered")
    assert stage.deps.actors.ref(session_name(session_id)) is actor, "it did not crash"
