"""The one thing a session's own token opens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ennio.model.facts import AgentSeen, Facts
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator


def as_hook(session_id: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer bell of {session_id}", **more}


def test_a_sessions_own_token_has_it_looked_at(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    answer = api.ask("POST", f"/sessions/{session_id}/look", headers=as_hook(session_id))
    assert (answer.status_code, answer.json) == (200, {"data": "looking"})
    assert orchestrator.looked == [session_id]


def test_since_when_nothing_is_heard_of_an_agent_is_shown(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert api.get(f"/sessions/{session_id}")["silent_since"] is None
    since = datetime(2026, 3, 1, tzinfo=UTC)
    orchestrator.store.facts.save(
        session_id, Facts(agent=AgentSeen(since, "hooks", silent_since=since))
    )
    assert datetime.fromisoformat(api.get(f"/sessions/{session_id}")["silent_since"]) == since


def test_the_house_token_opens_it_too(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert api.post(f"/sessions/{session_id}/look") == "looking"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/send"),
        ("POST", "/interrupt"),
        ("GET", "/output"),
        ("POST", "/look/x"),
        ("GET", "/look"),
    ],
)
def test_incident_42_a_sessions_token_opens_nothing_else(
    api: Api, session_id: str, method: str, path: str
) -> None:
    assert (
        api.ask(method, f"/sessions/{session_id}{path}", headers=as_hook(session_id)).status_code
        == 401
    )


def test_a_sessions_token_opens_no_other_session_and_no_house(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    other = api.post("/sessions", {"project_id": "my-app", "prompt": "x"})["id"]
    for path in (f"/sessions/{other}/look", "/shutdown", "/sessions", "/cleanup"):
        assert api.ask("POST", path, headers=as_hook(session_id)).status_code == 401
    assert orchestrator.looked == []


def test_a_page_of_elsewhere_cannot_ring_even_with_the_token(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    headers = as_hook(session_id, Origin="https://evil.example")
    assert api.ask("POST", f"/sessions/{session_id}/look", headers=headers).status_code == 403
    assert orchestrator.looked == []
