"""``session info`` and ``session why``: all about a session, and why it is so."""

from __future__ import annotations

import json
import re

from tests.cli.conftest import Api
from tests.cli.told import EVENT, SESSION, WHEN

EVIDENCE = [
    {
        "at": WHEN,
        "status": "ci_failed",
        "rule": "a check fails on the head",
        "facts": [
            {"what": "check lint: failing", "source": "github", "at": WHEN},
            {"what": "head 0a1b", "source": "github", "at": None},
        ],
    }
]


REACTION = {
    "id": "r3",
    "session_id": "ma-1a2b3c4d",
    "key": "bugbot-comments",
    "at": WHEN,
    "action": "none",
    "attempt": 0,
}
REACTION |= {
    "fingerprint": "f",
    "outcome": "skipped",
    "detail": "bots commented on #7: it is switched off",
}


MESSAGE = {
    "id": "m",
    "session_id": "ma-1a2b3c4d",
    "text": "fix\nlint",
    "origin": "reaction",
    "state": "delivered",
    "created_at": WHEN,
}
MESSAGE |= {"reaction": "ci-failed", "error": None, "detail": ""}


def test_info_shows_everything_history_events_and_messages(api: Api) -> None:
    _with_session(api)
    ended = api.ennio("session", "info", "ma-1a2b3c4d")
    assert ended.code == 0
    for line in (
        "status         ci_failed",
        "asks           May I run rm?",
        "used           12.0k in, 340 out, $0.42",
        "               by key",
    ):
        assert line in ended.out.splitlines()
    assert "lint fails" in ended.out
    assert "ci-failed  delivered  fix lint" in ended.out
    assert set(api.ennio("session", "info", "ma-1a2b3c4d", "--json").document) == {
        "session",
        "evidence",
        "events",
        "messages",
    }


def _with_session(api: Api) -> None:
    at = "/sessions/ma-1a2b3c4d"
    api.on("GET", at, SESSION).on("GET", f"{at}/evidence", EVIDENCE).on(
        "GET", f"{at}/events", [EVENT]
    ).on("GET", f"{at}/messages", [MESSAGE])
    sent = REACTION | {
        "id": "r2",
        "key": "ci-failed",
        "action": "send_to_agent",
        "outcome": "act",
        "detail": "attempt 1 of 3",
    }
    earlier = REACTION | {"id": "r1", "outcome": "act", "detail": "words to pass on"}
    api.on("GET", f"{at}/reactions", [REACTION, sent, earlier])


def test_why_tells_the_rule_and_each_fact_with_its_source(api: Api) -> None:
    _with_session(api)
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()
    assert lines[0].startswith("ci_failed since ")
    assert lines[1] == "  rule: a check fails on the head"
    assert lines[2].startswith("  as it was when that was decided"), (
        "an old head is no look that was missed"
    )
    assert lines[3].startswith("  - check lint: failing  [github, seen ")
    assert lines[4] == "  - head 0a1b  [github]"
    assert re.fullmatch(r"  turn: you asks for \d+d: May I run rm\? \(rule 2\)", lines[5])


def test_incident_31_why_tells_what_each_reaction_did_last_or_why_it_did_nothing(api: Api) -> None:
    _with_session(api)
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()[6:]
    assert [line.split("  [")[0] for line in lines] == [
        "  reaction bugbot-comments: skipped: bots commented on #7: it is switched off",
        "  reaction ci-failed: send to agent: attempt 1 of 3",
    ]
    document = json.loads(api.ennio("session", "why", "ma-1a2b3c4d", "--json").out)
    assert [reaction["id"] for reaction in document["reactions"]] == ["r3", "r2"]


def test_why_tells_what_a_message_waits_for_and_why_one_failed(api: Api) -> None:
    _with_session(api)
    waits = MESSAGE | {"state": "queued", "detail": "waits for the person at the terminal"}
    failed = MESSAGE | {"state": "failed", "error": "nobody could confirm it"}
    api.on(
        "GET", "/sessions/ma-1a2b3c4d/messages", [MESSAGE | {"state": "delivered"}, waits, failed]
    )
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()[-2:]
    assert "queued: waits for the person at the terminal" in lines[0]
    assert "failed: nobody could confirm it" in lines[1]


def test_why_a_message_waits_stands_before_its_words_however_long_they_are(api: Api) -> None:
    api.on(
        "GET",
        "/sessions/ma-1a2b3c4d/messages",
        [MESSAGE | {"text": "x" * 500, "error": "the person types"}, MESSAGE],
    )
    lines = api.ennio("messages", "ma-1a2b3c4d").out.splitlines()
    assert lines[0].split() == ["AT", "FROM", "STATE", "WHY", "TEXT"]
    assert lines[1].index("the person types") < lines[1].index("xx")


def test_why_an_agent_exited_is_told_with_the_last_line_of_its_terminal(api: Api) -> None:
    gone = SESSION | {"status": "exited", "reason": "the agent ended with exit code 1"}
    api.on("GET", "/sessions/ma-1a2b3c4d", gone).on("GET", "/sessions/ma-1a2b3c4d/evidence", [])
    api.on("GET", "/sessions/ma-1a2b3c4d/reactions", []).on(
        "GET", "/sessions/ma-1a2b3c4d/output", "starting\nno API key\x1b[0m\n\n"
    )
    api.on("GET", "/sessions/ma-1a2b3c4d/messages", [])
    ended = api.ennio("session", "why", "ma-1a2b3c4d")
    assert ended.out.splitlines()[-1] == "  its terminal ends with: no API key\\x1b[0m"
    api.on(
        "GET", "/sessions/ma-1a2b3c4d/output", "it has no terminal", status=404, error="NotFound"
    )
    assert "ends with" not in api.ennio("session", "why", "ma-1a2b3c4d").out
