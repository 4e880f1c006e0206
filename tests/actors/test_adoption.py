"""Agents that the database does not know: taken in by their own records where they are ours,
and left alone where not.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ennio.actors import adoption
from ennio.hosts.session_files import RECORD
from ennio.model.session import SessionStatus
from tests.actors.ground import Play, Stage


def _lost(play: Play) -> str:
    """A session whose agent runs, and whose database is gone."""
    with play.opened() as stage:
        session_id = stage.working("Write the overture")
    for path in play.root.glob("ennio.db*"):
        path.unlink()
    return session_id


def _record(play: Play, session_id: str) -> Path:
    return play.root / "home" / "sessions" / session_id / RECORD


def test_an_agent_that_lives_is_taken_in_with_all_that_was_known_at_its_launch(play: Play) -> None:
    session_id = _lost(play)
    with play.opened() as stage:
        assert _adopted(stage) == (session_id,)
        session = stage.session(session_id)
        assert (session.prompt, session.branch, session.agent_name) == (
            "Write the overture",
            session_id,
            "stub",
        )
        assert stage.types(session_id) == ["session_adopted"]
        assert _adopted(stage) == (), "once is enough"


def test_one_that_was_taken_in_is_looked_after_like_any_other(play: Play) -> None:
    session_id = _lost(play)
    with play.opened() as stage:
        _adopted(stage)
    with play.opened() as stage:
        stage.until(session_id, SessionStatus.WORKING)
        stage.runtime.finish(session_id, exit_code=3)
        stage.until(session_id, SessionStatus.EXITED)
        assert len(stage.runtime.launches) == 1, "its agent was not touched"


@pytest.mark.parametrize(
    "what",
    [
        "another file's",
        "no terminal",
        "of a project that left",
        "no record at all",
        "a record of nonsense",
    ],
)
def test_whoever_is_not_ours_or_does_not_live_is_left_alone(play: Play, what: str) -> None:
    session_id = _lost(play)
    record = json.loads(_record(play, session_id).read_text())
    match what:
        case "another file's":
            record |= {"config": "/elsewhere/ennio.yaml", "database": "sqlite:/elsewhere/ennio.db"}
        case "no terminal":
            play.runtime.vanish(session_id)
        case "of a project that left":
            record["session"]["project_id"] = "gone"
    _record(play, session_id).write_text("{" if "nonsense" in what else json.dumps(record))
    if "no record" in what:
        _record(play, session_id).unlink()
    with play.opened() as stage:
        assert _adopted(stage) == ()
        assert stage.deps.store.sessions.list() == ()


def test_the_record_is_its_owners_alone_and_goes_with_the_session(stage: Stage) -> None:
    session_id = stage.launched()
    path = stage.deps.home.session(session_id) / RECORD
    assert path.stat().st_mode & 0o777 == 0o600


def _adopted(stage: Stage) -> tuple[str, ...]:
    return tuple(taken.session_id for taken in adoption.adopt(stage.deps))
