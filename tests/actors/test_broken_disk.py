"""What the operating system fails at, such as a disk that is broken, is told at the session in its
words and tried again: no actor ends by it, and no session is lost.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ennio.actors.registry import session_name
from ennio.model.errors import Unreachable
from ennio.model.session import SessionStatus
from tests.actors.ground import Stage
from tests.conftest import eventually

PLACE = "/broken/file"
ERRORS = (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENOENT)
"""A broken disk, a server of files that has forgotten us, a device that was pulled out, and a file
that went meanwhile.
"""


@pytest.fixture(params=ERRORS, ids=lambda number: errno.errorcode[number])
def error(request: pytest.FixtureRequest) -> OSError:
    return OSError(request.param, os.strerror(request.param), PLACE)


def _words(error: OSError) -> str:
    return f"the operating system said: {(error.strerror or '').lower()} ({PLACE})"


def _failing(error: OSError) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@contextmanager
def _lives_on(stage: Stage, session_id: str) -> Iterator[None]:
    """Whatever happens to its session, the actor is the same afterwards."""
    actor = stage.deps.actors.ref(session_name(session_id))
    yield
    assert stage.deps.actors.ref(session_name(session_id)) is actor, "it crashed"
    assert stage.alive(session_name(session_id))


def _tells(stage: Stage, session_id: str, what: str, error: OSError) -> None:
    told = f"{what} failed: {_words(error)}"
    eventually(lambda: told in stage.words(session_id), 30, told)


@pytest.mark.parametrize(
    ("step", "what"),
    [("create", "making the workspace"), ("prepare", "preparing the workspace")],
)
def test_a_begin_that_fails_is_told_and_tried_again(
    stage: Stage, error: OSError, step: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(stage.workspace, step, _failing(error))
        session_id = stage.spawn()
        with _lives_on(stage, session_id):
            _tells(stage, session_id, what, error)
            assert stage.session(session_id).status is SessionStatus.SPAWNING
    with _lives_on(stage, session_id):
        stage.pass_time(61)
        eventually(lambda: stage.session(session_id).runtime_handle, 30, "it began")


def test_a_start_that_fails_is_told_and_tried_again(
    stage: Stage, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(stage.runtime, "start", _failing(error))
        session_id = stage.spawn()
        with _lives_on(stage, session_id):
            _tells(stage, session_id, "starting the agent", error)
            assert stage.session(session_id).status is SessionStatus.SPAWNING
    stage.pass_time(61)
    eventually(lambda: stage.session(session_id).runtime_handle, 30, "it began")


def test_an_end_a_look_and_a_removal_that_fail_are_told_and_tried_again(
    stage: Stage, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, killed = stage.working(), stage.working()
    with _lives_on(stage, looked), monkeypatch.context() as broken:
        broken.setattr(stage.workspace, "inspect", _failing(error))
        stage.runtime.finish(looked, exit_code=0)
        _tells(stage, looked, "looking at the workspace", error)
    with _lives_on(stage, killed):
        with monkeypatch.context() as broken:
            broken.setattr(stage.runtime, "stop", _failing(error))
            stage.orchestrator.sessions.kill(killed)
            _tells(stage, killed, "ending the agent", error)
        stage.pass_time(61)
        stage.until(killed, SessionStatus.KILLED)
        remove = stage.workspace.remove

        def seen(spec: Any, *, dry_run: bool = False) -> Any:
            return remove(spec, dry_run=True) if dry_run else _failing(error)()

        with monkeypatch.context() as broken:
            broken.setattr(stage.workspace, "remove", seen)
            stage.orchestrator.workspaces.cleanup(killed, None, dry_run=False, force=False)
            _tells(stage, killed, "removing the workspace", error)
    stage.pass_time(61)
    eventually(lambda: "session_cleaned" in stage.types(killed), 30, "it is removed")
    eventually(lambda: stage.session(looked).status.terminal, 30, "it was looked at")


def test_a_message_that_cannot_be_typed_waits_with_the_reason(
    stage: Stage, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    with _lives_on(stage, session_id):
        with monkeypatch.context() as broken:
            broken.setattr(stage.runtime, "paste", _failing(error))
            stage.orchestrator.sessions.send(session_id, "are you there")
            eventually(
                lambda: stage.messages(session_id)[-1].detail == _words(error), 30, "it says why"
            )
            broken.setattr(stage.runtime, "press", _failing(error))
            with pytest.raises(Unreachable, match=PLACE):
                stage.orchestrator.sessions.interrupt(session_id)
        for _ in range(3):
            stage.pass_time(61)
            stage.quiet()
        eventually(
            lambda: stage.messages(session_id)[-1].state.value == "delivered", 30, "it arrives"
        )
