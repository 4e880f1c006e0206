"""The machines on which agents work, as the API tells it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import ennio
from ennio.model.session import SessionStatus
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator


def test_this_machine_is_told_with_its_sessions_and_its_version(api: Api, session_id: str) -> None:
    (here,) = api.get("/nodes")
    assert (here["host"], here["state"], here["version"]) == ("", "here", ennio.__version__)
    assert (here["sessions"], here["of_projects"]) == (1, {"my-app": 1})
    assert here["name"]
    assert here["free_memory"] > 0


def test_a_machine_that_nobody_knows_is_unknown_and_not_without_sessions(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    session = orchestrator.store.sessions.need(session_id)
    orchestrator.store.sessions.save(replace(session, host="build-7"))
    here, there = api.get("/nodes")
    assert (here["sessions"], there["sessions"]) == (0, 1)
    assert (there["state"], there["version"], there["free_disk"]) == ("unknown", None, None)
    assert "does not know that host" in there["error"]
    ended = replace(session, host="build-7", status=SessionStatus.KILLED)
    orchestrator.store.sessions.save(ended)
    assert len(api.get("/nodes")) == 1, "a session that has ended is on no machine"


def test_one_machine_is_found_by_its_name_and_by_a_project_and_others_are_named(api: Api) -> None:
    assert api.get("/nodes/here")["host"] == ""
    assert api.get("/nodes/my-app")["kind"] == "here"
    missing = api.get("/nodes/me@nowhere", 404)
    assert "there are: here" in missing["error"]


def test_what_has_no_daemon_is_neither_connected_nor_shut_down(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    session = orchestrator.store.sessions.need(session_id)
    orchestrator.store.sessions.save(replace(session, host="me@[::1]:2222"))
    for name, why in (("my-app", "needs no connection"), ("me@[::1]:2222", "does not know")):
        for what in ("connect", "disconnect"):
            told = api.post(f"/nodes/{quote(name, safe='')}/{what}", {}, 409)
            assert why in told["error"]
        api.get(f"/nodes/{quote(name, safe='')}/logs", 409)
    wrong = api.get("/nodes/my-app/logs?bytes=0", 400)
    assert "bytes: 0 is not between" in wrong["error"]
