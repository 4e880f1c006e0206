"""What is asked again is answered from memory, and never with anything but
what stands in the store.
"""

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
from ennio.http.openapi.document import document
from ennio.http.response_cache import ResponseCache
from ennio.model.clock import SystemClock
from ennio.model.errors import Conflict
from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence, Ground
from ennio.model.facts import AgentSeen, Facts
from ennio.model.message import Message, Origin
from ennio.model.session import Activity, SessionStatus
from ennio.store import SessionMetrics, Waiting
from tests.http.api import TOKEN, Api, template_of
from tests.http.small_orchestrator import SmallOrchestrator

MADE_ANEW = ("diff", "diff/file", "checks/{check}/log")
"""What a session's machine is asked for each time; only sending it twice is spared."""
KEPT = (
    "/sessions",
    "/sessions?all=true",
    "/sessions?status=working",
    "/sessions/{}",
    "/sessions/{}/messages",
    "/sessions/{}/evidence",
    "/sessions/{}/phases",
    "/sessions/{}/reactions",
    "/sessions/{}/events",
    "/sessions/{}/events?limit=1",
    "/events",
    "/events?after=0",
    "/queue",
    "/projects",
    "/projects/my-app",
    "/notifications",
)


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
        lambda: store.sessions.save(
            replace(session, status=SessionStatus.WORKING, reason="it works")
        ),
        lambda: store.evidence.add(
            session_id, Evidence(now, SessionStatus.WORKING, "works", (Ground("x", "y", now),))
        ),
        lambda: store.facts.save(
            session_id,
            Facts(agent=AgentSeen(now, "hooks", Activity.WAITING_INPUT, question="Which?")),
        ),
        lambda: store.metrics.save(SessionMetrics(session_id, ci_runs=2)),
        lambda: store.queue.add(place),
        lambda: store.queue.change(replace(place, held=True)),
        lambda: store.queue.remove(session_id),
        lambda: store.sessions.insert(replace(session, id="ma-2")),
        lambda: store.sessions.save(replace(session, archived_at=now)),
    ]


def test_every_write_is_seen_at_once(
    api: Api, orchestrator: SmallOrchestrator, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = orchestrator.clock.now()
    # an agent rests from its second second on, which may come between two answers
    monkeypatch.setattr(SystemClock, "now", lambda _: now)
    before = _shown(api, session_id)
    for write in _changes(orchestrator, session_id):
        write()
        after = _shown(api, session_id)
        assert after != before
        assert after == _shown(Api(create_app(orchestrator, TOKEN)), session_id)
        before = after


def test_what_another_process_writes_is_seen_at_once(
    api: Api, session_id: str, tmp_path: Path
) -> None:
    assert api.get(f"/sessions/{session_id}")["reason"] is None
    with closing(sqlite3.connect(tmp_path / "ennio.db")) as other, other:
        other.execute("UPDATE sessions SET reason = 'elsewhere'")
    assert api.get(f"/sessions/{session_id}")["reason"] == "elsewhere"


def test_a_refusal_is_not_kept(api: Api, orchestrator: SmallOrchestrator, session_id: str) -> None:
    for _ in range(2):
        assert "unknown parameter" in api.get("/queue?what=1", 400)["error"]
        assert "no session ma-2" in api.get("/sessions/ma-2", 404)["error"]
    orchestrator.store.sessions.insert(
        replace(orchestrator.store.sessions.need(session_id), id="ma-2")
    )
    assert api.get("/sessions/ma-2")["id"] == "ma-2"


def test_an_answer_that_is_kept_is_given_to_nobody_without_the_token(
    api: Api, session_id: str
) -> None:
    api.get(f"/sessions/{session_id}")
    assert (
        "token" in api.get(f"/sessions/{session_id}", 401, headers={"Authorization": ""})["error"]
    )
    again = api.ask("GET", f"/sessions/{session_id}")
    assert (again.headers["content-type"], again.headers["cache-control"]) == (
        "application/json",
        "no-store",
    )


@pytest.fixture
def asked() -> falcon.Request:
    return falcon.testing.create_req(path="/a")


def _answered(cache: ResponseCache, asked: falcon.Request, data: object) -> bytes | None:
    """What is answered where this would be made."""
    resp = falcon.Response()
    cache.give(asked, resp, lambda: answer(resp, data))
    return resp.data


def test_what_was_read_before_a_write_is_not_kept_as_of_after_it(
    orchestrator: SmallOrchestrator, asked: falcon.Request
) -> None:
    cache = ResponseCache(orchestrator.data_version, orchestrator.clock.now)
    resp = falcon.Response()

    def make() -> None:
        orchestrator.store.meta.set("a", "new")
        _answered(
            cache, falcon.testing.create_req(path="/b"), "another answer of the new data version"
        )
        answer(resp, "old")

    cache.give(asked, resp, make)
    assert _answered(cache, asked, "new") == b'{"data":"new"}'


def test_answers_take_no_more_room_than_they_are_given(orchestrator: SmallOrchestrator) -> None:
    cache = ResponseCache(orchestrator.data_version, orchestrator.clock.now, room=1000)
    for number in range(100):
        _answered(cache, falcon.testing.create_req(path=f"/{number}"), "x" * number)
        assert (
            sum(len(key) + len(kept.body) for key, kept in cache._kept.items())
            == cache._size
            <= 1000
        )
    large = falcon.testing.create_req(path="/large")
    assert _answered(cache, large, "x" * 1000) != _answered(cache, large, "y" * 1000)


def test_an_error_half_way_keeps_nothing(
    orchestrator: SmallOrchestrator, asked: falcon.Request
) -> None:
    cache = ResponseCache(orchestrator.data_version, orchestrator.clock.now)

    def fail() -> None:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        cache.give(asked, falcon.Response(), fail)
    assert _answered(cache, asked, 1) == b'{"data":1}'


# --- tags --------------------------------------------------------------------------------------


def _tags(api: Api, session_id: str) -> dict[str, str]:
    return {path: api.ask("GET", f"{path.format(session_id)}").headers["etag"] for path in KEPT}


def test_who_shows_the_tag_of_an_answer_is_told_that_nothing_is_different(
    api: Api, session_id: str
) -> None:
    for path, tag in _tags(api, session_id).items():
        for method in ("GET", "HEAD"):
            again = api.ask(
                method, path.format(session_id), headers={"If-None-Match": f'"other", {tag}'}
            )
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), (
                path
            )
            assert again.headers["cache-control"] == "no-store"
        other = api.ask("GET", path.format(session_id), headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.headers["etag"]) == (200, tag)


@pytest.mark.parametrize("shown", ["", ",", "garbage", '"', 'W/"garbage"'])
def test_a_tag_that_is_none_of_ours_gets_the_whole_answer(
    api: Api, session_id: str, shown: str
) -> None:
    assert api.get(f"/sessions/{session_id}", headers={"If-None-Match": shown})["id"] == session_id


def test_every_write_that_is_shown_makes_a_new_tag(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    one = "/sessions/{}"
    store, now = orchestrator.store, orchestrator.clock.now()
    store.queue.add(Waiting(session_id, "my-app", 0, 0, False, now, ""))
    writes: dict[str, Callable[[], object]] = {
        one: lambda: store.metrics.save(SessionMetrics(session_id, ci_runs=2)),
        "/sessions": lambda: store.sessions.save(
            replace(store.sessions.need(session_id), reason="it works")
        ),
        f"{one}/messages": lambda: store.messages.add(
            Message("m-1", session_id, "go on", Origin.PERSON, now)
        ),
        f"{one}/evidence": lambda: store.evidence.add(
            session_id, Evidence(now, SessionStatus.WORKING, "works", ())
        ),
        f"{one}/events": lambda: _emit(orchestrator, session_id),
        "/events": lambda: _emit(orchestrator, session_id),
        "/queue": lambda: store.queue.change(replace(store.queue.list()[0], held=True)),
        "/projects": lambda: store.sessions.save(
            replace(store.sessions.need(session_id), status=SessionStatus.DONE)
        ),
    }
    for path, write in writes.items():
        before = api.ask("GET", path.format(session_id))
        write()
        after = api.ask(
            "GET", path.format(session_id), headers={"If-None-Match": before.headers["etag"]}
        )
        assert after.status_code == 200, path
        assert after.headers["etag"] != before.headers["etag"]
        assert after.json != before.json


def _emit(orchestrator: SmallOrchestrator, session_id: str) -> None:
    with orchestrator.store.transaction() as tx:
        tx.emit(session_id, "my-app", Draft(EventType.SESSION_STEP, "a step"))


def test_a_write_that_is_not_shown_leaves_the_tag_also_to_a_supervisor_that_was_started_since(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    tags = _tags(api, session_id)
    orchestrator.store.meta.set("a", "new")
    assert _tags(api, session_id) == tags == _tags(Api(create_app(orchestrator, TOKEN)), session_id)


def test_one_tag_never_stands_for_two_answers(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.store.sessions.insert(
        replace(
            orchestrator.store.sessions.need(session_id), id="ma-2", status=SessionStatus.WORKING
        )
    )
    answers: dict[str, set[bytes]] = {}
    for path in (*KEPT, "/sessions?status=done", "/sessions/ma-2", "/sessions/ma-2/messages"):
        answer = api.ask("GET", path.format(session_id))
        answers.setdefault(answer.headers["etag"], set()).add(answer.content)
    assert all(len(bodies) == 1 for bodies in answers.values())
    assert len(answers) > len(KEPT) / 2


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Bearer wrong"}])
def test_a_tag_lets_nobody_in(api: Api, session_id: str, headers: dict[str, str]) -> None:
    tag = api.ask("GET", f"/sessions/{session_id}").headers["etag"]
    refused = api.ask("GET", f"/sessions/{session_id}", headers={"If-None-Match": tag, **headers})
    assert refused.status_code == 401
    assert "etag" not in refused.headers


def test_what_is_not_of_the_store_alone_has_no_tag(api: Api, session_id: str) -> None:
    for path in ("/status", "/config", f"/sessions/{session_id}/output", "/health"):
        assert "etag" not in api.ask("GET", path).headers
    assert "etag" not in api.ask("GET", "/sessions/ma-2").headers, "an error has none either"


def test_the_document_names_the_tag_of_every_answer_that_has_one(api: Api, session_id: str) -> None:
    tagged = {
        path
        for path, of in document()["paths"].items()
        if "304" in of.get("get", {}).get("responses", {})
    }
    made_anew = {f"/api/v1/sessions/{{session_id}}/{what}" for what in MADE_ANEW}
    kept = {template_of(f"/api/v1{path.format(session_id)}") for path in KEPT}
    assert tagged == kept | made_anew
    for path in tagged:
        said = document()["paths"][path]["get"]
        assert [one["name"] for one in said["parameters"] if one["in"] == "header"] == [
            "If-None-Match"
        ]
        assert "ETag" in said["responses"]["200"]["headers"]
