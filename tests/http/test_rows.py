"""The rows of a list: enough for every face, small, and read in so many queries whatever
their number.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import falcon.testing
import pytest

from ennio.http.app import create_app
from ennio.model.clock import parse_time
from ennio.model.events import EventType
from ennio.model.facts import AgentSeen, Facts
from ennio.model.session import Activity
from ennio.policy.turn_inputs import Turn
from tests.http.api import TOKEN, Api
from tests.http.many_sessions import record
from tests.http.small_orchestrator import SmallOrchestrator

ROWS = "/sessions?view=row"


@pytest.fixture
def plain(orchestrator: SmallOrchestrator) -> falcon.testing.TestClient:
    """The API, whose answers are not held against their schemas."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1:3000"}
    return falcon.testing.TestClient(create_app(orchestrator, TOKEN), headers=headers)


def _get(plain: falcon.testing.TestClient, path: str) -> falcon.testing.Result:
    path, _, query = path.partition("?")
    found = plain.simulate_get(f"/api/v1{path}", query_string=query)
    assert found.status_code == 200, found.text
    return found


def test_a_row_says_whose_turn_it_is_and_leaves_out_prompts_and_nulls(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    record(orchestrator.store, 9, orchestrator.clock.now())
    rows = api.get(ROWS)
    assert {row["turn"] for row in rows} == set(Turn)
    for row in rows:
        assert row["title"]
        assert row["word"]
        assert row["turn_why"]
        assert parse_time(row["turn_since"]) <= orchestrator.clock.now()
        assert None not in row.values()
        assert not {"prompt", "summary", "usage"} & row.keys()
    red = next(row for row in rows if row["status"] == "ci_failed")
    assert red["checks"] == {"passing": 0, "failing": 9, "pending": 0}
    assert red["cost"]["source"] == "local"
    whole = {one["id"]: one for one in api.get("/sessions")}
    assert [{**whole[row["id"]], **row} for row in rows] == [whole[row["id"]] for row in rows]


def test_five_hundred_rows_fit_into_eight_hundred_bytes_each_and_eighty_packed(
    plain: falcon.testing.TestClient, orchestrator: SmallOrchestrator
) -> None:
    record(orchestrator.store, 500, orchestrator.clock.now())
    body = _get(plain, ROWS).content
    assert len(body) <= 800 * 500
    assert len(gzip.compress(body)) <= 80 * 500


def test_a_list_of_many_costs_no_query_more_than_one_of_few(
    plain: falcon.testing.TestClient,
    orchestrator: SmallOrchestrator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    connection = orchestrator.store._connection
    run = connection._execute

    def noted(statement: str, parameters: Sequence[Any]) -> Any:
        asked.append(statement)
        return run(statement, parameters)

    monkeypatch.setattr(connection, "_execute", noted)

    def queries(many: int) -> int:
        record(orchestrator.store, many, orchestrator.clock.now())
        asked.clear()
        _get(plain, f"{ROWS}&all=true")
        return len(asked)

    few = queries(60)
    with orchestrator.store.transaction():
        for session in orchestrator.store.sessions.list():
            archived = replace(session, archived_at=orchestrator.clock.now())
            orchestrator.store.sessions.save(archived)
    # those are in the list still, and nothing is read of each of them
    assert 0 < queries(0) <= few <= 10


def test_ids_give_just_these_also_archived_ones(api: Api, orchestrator: SmallOrchestrator) -> None:
    ids = record(orchestrator.store, 5, orchestrator.clock.now())
    gone = orchestrator.store.sessions.need(ids[3])
    orchestrator.store.sessions.save(replace(gone, archived_at=orchestrator.clock.now()))
    asked = f"{ids[1]},{ids[3]},ma-nobody"
    assert {row["id"] for row in api.get(f"{ROWS}&ids={asked}")} == {ids[1], ids[3]}
    assert api.get("/sessions?ids=ma-nobody") == []
    assert "give ids alone" in api.get(f"/sessions?ids={asked}&all=true", 400)["error"]
    assert "1 to 200 ids" in api.get(f"/sessions?ids={','.join(ids * 50)}", 400)["error"]
    assert "is no id" in api.get("/sessions?ids=a/b", 400)["error"]
    assert "view" in api.get("/sessions?view=small", 400)["error"]


def test_an_answer_that_the_hour_changes_is_not_given_again_after_it(
    orchestrator: SmallOrchestrator, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = [began := orchestrator.clock.now()]
    monkeypatch.setattr(orchestrator.clock, "now", lambda: hours[-1])
    api = Api(create_app(orchestrator, TOKEN))
    quiet = AgentSeen(began, "hooks", Activity.ACTIVE, silent_since=began - timedelta(minutes=9))
    orchestrator.store.facts.save(session_id, Facts(agent=quiet))
    for path in (f"/sessions/{session_id}", f"/sessions?ids={session_id}"):
        hours.append(began)
        assert _turn(api.get(path)) == ("agent", "starts")
        hours.append(began + timedelta(minutes=1))
        assert _turn(api.get(path)) == ("you", "silent")


def _turn(shown: Any) -> tuple[str, str]:
    one = shown[0] if isinstance(shown, list) else shown
    return one["turn"], one["word"]


def test_the_phases_of_a_session_are_told_from_its_events(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.tell(session_id, "works", EventType.SESSION_WORKING)
    found = api.get(f"/sessions/{session_id}/phases")
    assert [(one["name"], one["message"]) for one in found] == [
        ("spawn", "spawned"),
        ("working", "works"),
    ]
    assert (found[0]["ended"], found[1]["ended"]) == (found[1]["began"], None)
    assert "no session" in api.get("/sessions/ma-nobody/phases", 404)["error"]
