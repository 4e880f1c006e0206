"""Sessions over the API."""

from __future__ import annotations

from dataclasses import replace

import pykka
import pytest

from ennio.model.clock import parse_time
from ennio.model.errors import Conflict, OverBudget, Refused, Unreachable
from ennio.model.evidence import Evidence, Ground
from ennio.model.facts import AgentSeen, Facts
from ennio.model.session import SessionStatus
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator


def test_a_spawned_session_is_shown_with_the_documented_fields(api: Api) -> None:
    body = {
        "project_id": "my-app",
        "issue_id": "42",
        "prompt": "Add input validation",
        "branch": "feat/validation",
        "role": "implementer",
    }
    spawned = api.post("/sessions", body)
    assert spawned["status"] == "spawning"
    assert spawned["activity"] == "ready"
    assert (spawned["project_id"], spawned["branch"], spawned["pr_url"], spawned["pr_number"]) == (
        "my-app",
        "feat/validation",
        None,
        None,
    )
    assert parse_time(spawned["created_at"]).tzinfo is not None
    told = {"input_tokens": 10, "output_tokens": 20, "cost_usd": "0.125", "model": None}
    assert spawned["usage"] == {
        **told,
        "unpriced": 0,
        "listed_usd": None,
        "source": "local",
    }
    shown = api.get(f"/sessions/{spawned['id']}")
    assert shown == spawned
    assert [each["id"] for each in api.get("/sessions")] == [spawned["id"]]


def test_a_dry_run_spawns_nothing(api: Api) -> None:
    preview = api.post(
        "/sessions", {"project_id": "my-app", "prompt": "x"}, query_string="dry_run=true"
    )
    assert preview["command"] == ["claude"]
    assert api.get("/sessions") == []


def test_the_list_is_filtered_by_project_and_status(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    other = api.post("/sessions", {"project_id": "bare", "prompt": "x"})["id"]
    orchestrator.sessions.kill(other)
    ids = lambda query: [each["id"] for each in api.get("/sessions", query_string=query)]  # noqa: E731
    assert ids("project_id=my-app") == [session_id]
    assert ids("status=killed,exited") == [other]
    assert ids("status=killed&status=spawning") == [session_id, other]
    assert (
        "no project nothing; configured: my-app, bare"
        in api.get("/sessions?project_id=nothing", 404)["error"]
    )
    assert "status: 'lost' is none of" in api.get("/sessions?status=lost", 400)["error"]


def test_archived_sessions_are_listed_on_request(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.store.sessions.save(
        replace(orchestrator.store.sessions.need(session_id), archived_at=orchestrator.clock.now())
    )
    assert api.get("/sessions") == []
    assert [each["id"] for each in api.get("/sessions?all=true")] == [session_id]


def test_killing_sending_and_restoring_answer_as_documented(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert (
        api.post(f"/sessions/{session_id}/send", {"message": "Also add tests; $(rm -rf /)\n'"})
        == "sent"
    )
    message = api.get(f"/sessions/{session_id}/messages")[0]
    assert (message["text"], message["state"], message["origin"]) == (
        "Also add tests; $(rm -rf /)\n'",
        "queued",
        "person",
    )
    api.post(f"/sessions/{session_id}/send", {"message": "And docs"})
    assert (
        api.get(f"/sessions/{session_id}/messages")[1]["detail"]
        == "is behind an earlier message, which is delivered next"
    )
    assert (
        "spawning, not exited" in api.post(f"/sessions/{session_id}/restore", status=409)["error"]
    )
    assert api.delete(f"/sessions/{session_id}") == "killed"
    assert api.get(f"/sessions/{session_id}")["reason"] == "killed by a person"


@pytest.mark.parametrize(
    "doing", ["", "/output", "/messages", "/evidence", "/events", "/reactions", "/attach"]
)
def test_a_session_that_does_not_exist_is_404_and_a_bad_id_400(api: Api, doing: str) -> None:
    assert "ma-none" in api.get(f"/sessions/ma-none{doing}", 404)["error"]
    assert "session id: 'a.b' is no id" in api.get(f"/sessions/a.b{doing}", 400)["error"]


def test_output_and_attach_are_passed_on(api: Api, session_id: str) -> None:
    assert api.get(f"/sessions/{session_id}/output?lines=3").splitlines() == [
        f"{session_id} line {n}" for n in range(3)
    ]
    assert len(api.get(f"/sessions/{session_id}/output").splitlines()) == 200
    assert api.get(f"/sessions/{session_id}/attach") == ["tmux", "attach", "-t", f"={session_id}"]


def test_the_evidence_behind_a_status_is_told(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    seen = Ground("the agent's process is alive", "tmux", orchestrator.clock.now())
    orchestrator.store.evidence.add(
        session_id,
        Evidence(orchestrator.clock.now(), SessionStatus.SPAWNING, "it is not ready yet", (seen,)),
    )
    told = api.get(f"/sessions/{session_id}/evidence")
    assert told[0]["facts"][0]["source"] == "tmux"
    assert api.get(f"/sessions/{session_id}")["status_since"] == told[0]["at"]


def test_the_agents_question_is_shown(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.store.facts.save(
        session_id, Facts(agent=AgentSeen(orchestrator.clock.now(), "hook", question="May I?"))
    )
    assert api.get("/sessions")[0]["question"] == "May I?"
    orchestrator.sessions.kill(session_id)
    assert api.get("/sessions")[0]["question"] is None


def test_a_queued_session_shows_its_place_and_the_queue_can_be_changed(api: Api) -> None:
    first, second = (
        api.post("/sessions", {"project_id": "my-app", "prompt": "x", "held": True})["id"]
        for _ in range(2)
    )
    assert api.get(f"/sessions/{second}")["queued"] == {
        "position": 2,
        "reason": "held by a person",
        "held": True,
    }
    assert api.post(f"/queue/{second}/priority", {"priority": 5}) == "set"
    assert [(each["session_id"], each["position"]) for each in api.get("/queue")] == [
        (second, 1),
        (first, 2),
    ]
    assert api.post(f"/queue/{first}/release") == "released"
    assert [each["held"] for each in api.get("/queue")] == [True, False]
    assert api.post(f"/queue/{first}/hold") == "held"
    assert api.post(f"/queue/{first}/move", {"position": 1}) == "moved"
    assert "position" in api.post(f"/queue/{first}/move", {"position": 0}, 400)["error"]
    assert api.delete(f"/queue/{first}") == "dropped"
    assert api.get(f"/sessions/{first}")["queued"] is None
    api.delete(f"/queue/{first}", 404)


def test_cleaning_tells_what_it_did_and_a_dry_run_what_it_would(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert api.post("/cleanup", {"dry_run": True, "force": True})[0]["action"] == "would remove"
    assert api.post(f"/sessions/{session_id}/cleanup")[0]["action"] == "kept"
    orchestrator.sessions.kill(session_id)
    assert api.post("/cleanup", {"project_id": "my-app"})[0]["action"] == "removed"
    api.post("/cleanup", {"project_id": "nothing"}, 404)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (OverBudget("spent"), 402, "OverBudget"),
        (Conflict("exists"), 409, "Conflict"),
        (Refused("dirty"), 409, "Refused"),
        (Unreachable("away"), 504, "Unreachable"),
        (pykka.Timeout("slow"), 504, "TimedOut"),
        (pykka.ActorDeadError("dead"), 503, "Unreachable"),
    ],
)
def test_an_error_keeps_its_words_and_gets_its_status(
    api: Api, orchestrator: SmallOrchestrator, error: Exception, status: int, kind: str
) -> None:
    orchestrator.fails_with = error
    answer = api.ask("POST", "/sessions", json={"project_id": "my-app", "prompt": "x"})
    assert (answer.status_code, answer.headers["Ennio-Error"]) == (status, kind)


def test_a_bug_is_logged_and_its_words_are_not_told(
    api: Api, orchestrator: SmallOrchestrator, caplog: pytest.LogCaptureFixture
) -> None:
    orchestrator.fails_with = ZeroDivisionError("the secret of the house")
    answer = api.post("/sessions", {"project_id": "my-app", "prompt": "x"}, 500)
    assert "secret" not in answer["error"]
    assert "the secret of the house" in caplog.text


def test_unknown_routes_and_wrong_methods_are_answered_in_the_envelope(api: Api) -> None:
    assert "/api/v1/nothing" in api.get("/nothing", 404)["error"]
    answer = api.ask("PUT", "/sessions")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert "PUT is not possible" in answer.json["error"]


def test_head_is_get_without_the_body(api: Api) -> None:
    answer = api.ask("HEAD", "/sessions")
    assert (answer.status_code, answer.text, answer.headers["Content-Length"]) == (
        200,
        "",
        str(len('{"data":[]}')),
    )


def test_a_trailing_slash_does_not_matter(api: Api) -> None:
    assert api.get("/sessions/") == []


def test_what_removals_saved_is_listed_shown_and_brought_back(api: Api) -> None:
    assert [one["id"] for one in api.get("/preserved")] == ["ma-1"]
    assert api.get("/preserved/ma-1")["files"] == ["M README"]
    assert api.post("/preserved/ma-1/restore")["branch"] == "restored/ma-1"
    assert api.post("/preserved/ma-1/restore", {"branch": "mine"})["branch"] == "mine"
    api.get("/preserved/ma-9", 404)
    api.get("/preserved?project_id=nothing", 404)
