"""Every verb that a face offers is an operation of the API and a command line, and what a row wants
is accepted.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from ennio.cli.parser import understand
from ennio.http.idempotency import HEADER
from ennio.http.openapi.document import document
from ennio.model import codec
from ennio.model.session import Session, SessionStatus
from ennio.model.verbs import SESSION_VERBS, SessionVerb
from ennio.policy.reactions import ReactionState
from ennio.policy.turn_verbs import ACCEPTED
from ennio.store import open_store
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator

NAMES = [
    "answer",
    "interrupt",
    "restore",
    "open",
    "kill",
    "raise",
    "go-on",
    "end",
    "resume",
    "tell",
    "take-over",
    "seen",
    "merge",
    "request-changes",
    "approve",
    "look",
    "release",
    "move",
    "drop",
    "rerun",
    "nudge",
    "leave-queue",
    "cleanup",
]
GIVEN = {"ANSWER": "yes", "USD": "5", "MESSAGE": "go on", "WORDS": "no", "POSITION": "1"}
A_ROW = {"session_id": "ma-1a2b3c4d", "project_id": "my-app", "number": 7}
_PARAMETER = re.compile(r"\{\w+\}")


@pytest.fixture(params=SESSION_VERBS, ids=lambda verb: verb.name)
def verb(request: pytest.FixtureRequest) -> SessionVerb:
    """One after the other."""
    return request.param  # type: ignore[no-any-return]


def test_the_table_has_each_verb_once_and_no_other() -> None:
    assert [verb.name for verb in SESSION_VERBS] == NAMES
    assert ACCEPTED.keys() == set(NAMES)


def test_a_verb_is_an_operation_of_the_api(verb: SessionVerb) -> None:
    paths = {_PARAMETER.sub("{}", path): each for path, each in document()["paths"].items()}
    operation = paths[_PARAMETER.sub("{}", verb.path)][verb.method.lower()]
    body = operation.get("requestBody")
    schema = body["content"]["application/json"]["schema"] if body else {"properties": {}}
    sent = {*verb.body, *verb.seen, *([verb.takes] if verb.takes else [])}
    assert sent <= schema["properties"].keys()
    assert set(schema.get("required", ())) <= sent
    assert set(_PARAMETER.findall(verb.path)) <= {f"{{{name}}}" for name in A_ROW}
    headers = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    assert verb.once == (HEADER in headers)


def test_a_verb_is_a_command_line(verb: SessionVerb) -> None:
    words = shlex.split(verb.command.format(**A_ROW))
    filled = [GIVEN.get(word, word) for word in words]
    assert not [word for word in filled if word.isupper()]
    call = understand(filled[1:])
    assert call.run is not None
    assert (filled != words) == (verb.takes is not None)


def test_what_cannot_be_undone_is_asked_once_and_says_what_stays(verb: SessionVerb) -> None:
    asked = {"kill", "end", "merge", "drop", "cleanup"}
    assert (verb.confirm is not None) == (verb.name in asked)
    if verb.confirm:
        question, _, stays = verb.confirm.format(**A_ROW).partition("? ")
        assert re.search("stay|kept|cleaned up", stays), question


def test_the_table_is_read_over_the_api(api: Api) -> None:
    shown = {one["name"]: one for one in api.get("/verbs")}
    assert list(shown) == NAMES
    assert shown["resume"] == {
        "name": "resume",
        "label": "Resume",
        "method": "POST",
        "path": "/api/v1/sessions/{session_id}/resume",
        "command": "ennio session resume {session_id} --now",
        "confirm": None,
        "takes": None,
        "body": {"when": "now"},
        "once": False,
        "seen": {},
    }


# --- seen -------------------------------------------------------------------------------------------


def _called(orchestrator: SmallOrchestrator, session_id: str, attempts: int = 1) -> None:
    now = orchestrator.clock.now()
    state = ReactionState(
        1, now - timedelta(minutes=5), attempts, escalated_at=now - timedelta(minutes=2)
    )
    orchestrator.store.reactions.save(session_id, "agent-stuck", codec.dumps(state))


@pytest.fixture
def stuck(orchestrator: SmallOrchestrator, session_id: str) -> Session:
    """A session that has called a person."""
    session = orchestrator.store.sessions.need(session_id)
    orchestrator.store.sessions.save(replace(session, status=SessionStatus.WORKING))
    _called(orchestrator, session_id)
    return session


def _word(api: Api, session: Session) -> str:
    return str(api.get(f"/sessions/{session.id}")["word"])


def test_what_a_person_has_seen_is_no_turn_of_theirs_until_it_escalates_anew(
    api: Api, orchestrator: SmallOrchestrator, stuck: Session
) -> None:
    shown = api.get(f"/sessions/{stuck.id}")
    assert (shown["turn"], shown["word"]) == ("you", "look")
    assert "seen" in shown["wants"]
    assert api.post(f"/sessions/{stuck.id}/seen", {"by": "lena"}) == "seen"
    assert _word(api, stuck) != "look"
    told = api.get(f"/sessions/{stuck.id}/events?type=escalation_seen")
    assert [event["message"] for event in told] == ["lena has seen it: agent-stuck"]
    assert "calls nobody" in api.post(f"/sessions/{stuck.id}/seen", {}, 409)["error"]
    _called(orchestrator, stuck.id, attempts=2)
    assert _word(api, stuck) == "look"


def test_that_it_was_seen_outlives_a_restart_and_whatever_the_reaction_writes(
    api: Api, orchestrator: SmallOrchestrator, stuck: Session
) -> None:
    api.post(f"/sessions/{stuck.id}/seen", {})
    _called(orchestrator, stuck.id)
    folder = orchestrator.config.directory
    orchestrator.store.close()
    reopened = open_store("sqlite:ennio.db", folder, orchestrator.clock)
    (row,) = reopened.reactions.remembered([stuck.id])
    assert row.seen == "1.1.1.escalated"
    reopened.close()
