"""What is asked again is answered from memory, and never with anything but what stands in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import falcon
import falcon.testing
import pytest

from ennio.http.app import create_app
from ennio.http.envelope import answer
from ennio.http.response_cache import ResponseCache
from ennio.model.errors import Conflict
from ennio.model.evidence import Evidence, Ground
from ennio.model.facts import AgentSeen, Facts
from ennio.model.session import Activity, SessionStatus
from ennio.store import SessionMetrics, Waiting
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator

KEPT = ("/sessions", "/sessions?all=true", "/sessions?status=working", "/sessions/{}", "/queue", "/projects", "/projects/my-app")


def _shown(api: Api, session_id: str) -> list[Any]:
    return [api.get(path.format(session_id)) for path in KEPT]


@pytest.fixture
def statements(orchestrator: SmallOrchestrator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the database from now on."""
    asked: list[str] = []
    run = orchestrator.store._connection._execute

    def noted(statement: str, parameters: Sequence[Any]) -> Any:
        asked.append(statement)
        return run(statement, parameters)

    monkeypatch.setattr(orchestrator.store._connection, "_execute", noted)
    return asked


def test_what_is_asked_again_is_read_once(api: Api, session_id: str, statements: list[str]) -> None:
    first = _shown(api, session_id)
    assert len(statements) > len(KEPT)
    statements.clear()
    assert _shown(api, session_id) == first
    assert not statements


def _changes(orchestrator: SmallOrchestrator, session_id: str) -> list[Callable[[], object]]:
    """One write after the other, each to something that is shown."""
    store, now = orchestrator.store, orchestrator.clock.now()
    session = store.sessions.need(session_id)
    place = Waiting(session_id, "my-app", 0, 0, False, now, "")
    return [
        lambda: store.sessions.save(replace(session, status=SessionStatus.WORKING, reason="it works")),
        lambda: store.evidence.add(session_id, Evidence(now, SessionStatus.WORKING, "works", (Ground("x", "y", now),))),
        lambda: store.facts.save(session_id, Facts(agent=AgentSeen(now, "hooks", Activity.WAITING_INPUT, question="Which?"))),
        lambda: store.metrics.save(SessionMetrics(session_id, ci_runs=2)),
        lambda: store.queue.add(place),
        lambda: store.queue.change(replace(place, held=True)),
        lambda: store.queue.remove(session_id),
        lambda: store.sessions.insert(replace(session, id="ma-2")),
        lambda: store.sessions.save(replace(session, archived_at=now)),
    ]


def test_every_write_is_seen_at_once(api: Api, orchestrator: SmallOrchestrator, session_id: str) -> None:
    before = _shown(api, session_id)
    for write in _changes(orchestrator, session_id):
        write()
        after = _shown(api, session_id)
        assert after != before
        assert after == _shown(Api(create_app(orchestrator, TOKEN)), session_id)
        before = after


def test_what_another_process_writes_is_seen_at_once(api: Api, session_id: str, tmp_path: Path) -> None:
    assert api.get(f"/sessions/{session_id}")["reason"] is None
    with closing(sqlite3.connect(tmp_path / "ennio.db")) as other, other:
        other.execute("UPDATE sessions SET reason = 'elsewhere'")
    assert api.get(f"/sessions/{session_id}")["reason"] == "elsewhere"


def test_a_refusal_is_not_kept(api: Api, orchestrator: SmallOrchestrator, session_id: str) -> None:
    for _ in range(2):
        assert "unknown parameter" in api.get("/queue?what=1", 400)["error"]
        assert "no session ma-2" in api.get("/sessions/ma-2", 404)["error"]
    orchestrator.store.sessions.insert(replace(orchestrator.store.sessions.need(session_id), id="ma-2"))
    assert api.get("/sessions/ma-2")["id"] == "ma-2"


def test_an_answer_that_is_kept_is_given_to_nobody_without_the_token(api: Api, session_id: str) -> None:
    api.get(f"/sessions/{session_id}")
    assert "token" in api.get(f"/sessions/{session_id}", 401, headers={"Authorization": ""})["error"]
    again = api.ask("GET", f"/sessions/{session_id}")
    assert (again.headers["content-type"], again.headers["cache-control"]) == ("application/json", "no-store")


@pytest.fixture
def asked() -> falcon.Request:
    return falcon.testing.create_req(path="/a")


def _answered(cache: ResponseCache, asked: falcon.Request, data: object) -> bytes | None:
    """What is answered where this would be made."""
    resp = falcon.Response()
    cache.give(asked, resp, lambda: answer(resp, data))
    return resp.data


def test_what_was_read_before_a_write_is_not_kept_as_of_after_it(orchestrator: SmallOrchestrator, asked: falcon.Request) -> None:
    cache = ResponseCache(orchestrator.data_version)
    resp = falcon.Response()

    def make() -> None:
        orchestrator.store.meta.set("a", "new")
        _answered(cache, falcon.testing.create_req(path="/b"), "another answer of the new data version")
        answer(resp, "old")

    cache.give(asked, resp, make)
    assert _answered(cache, asked, "new") == b'{"data":"new"}'


def test_answers_take_no_more_room_than_they_are_given(orchestrator: SmallOrchestrator) -> None:
    cache = ResponseCache(orchestrator.data_version, room=1000)
    for number in range(100):
        _answered(cache, falcon.testing.create_req(path=f"/{number}"), "x" * number)
        assert sum(len(key) + len(body) for key, body in cache._kept.items()) == cache._size <= 1000
    large = falcon.testing.create_req(path="/large")
    assert _answered(cache, large, "x" * 1000) != _answered(cache, large, "y" * 1000)


def test_an_error_half_way_keeps_nothing(orchestrator: SmallOrchestrator, asked: falcon.Request) -> None:
    cache = ResponseCache(orchestrator.data_version)

    def fail() -> None:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        cache.give(asked, falcon.Response(), fail)
    assert _answered(cache, asked, 1) == b'{"data":1}'
