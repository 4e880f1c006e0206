"""`ennio node`: what it asks the supervisor, and what it prints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Api

AT = "2026-11-26T10:00:00+00:00"
HERE: dict[str, Any] = {
    "host": "", "name": "desk", "kind": "here", "state": "here", "state_since": AT, "version": "0.2.0", "since": AT,
    "round_trip": None, "seen_at": None, "failures": 0, "projects": ["my-app"], "sessions": 3,
    "of_projects": {"my-app": 2, "api": 1}, "free_memory": 2**30, "free_disk": 2**31, "error": None, "steps": [],
    "sources": {"runtime:tmux": {"ok": True, "detail": "", "at": AT, "took": 0.004, "watched": 3}},
}  # fmt: skip
STRANGER = HERE | {
    "host": "build-7", "name": "build-7", "kind": "stranger", "state": "unknown", "version": None, "since": None, "sessions": 1,
    "of_projects": {"x": 1}, "free_memory": None, "free_disk": None, "error": "nobody knows it", "sources": {},
}  # fmt: skip
FAR = HERE | {
    "host": "me@build", "name": "me@build", "kind": "daemon", "state": "connected", "round_trip": 0.0251, "seen_at": AT,
    "sessions": 1, "sources": {},
}  # fmt: skip
PLAIN = FAR | {"host": "me@lab", "name": "me@lab", "kind": "ssh", "version": None, "since": None}
CONNECTING = FAR | {"state": "deploying", "round_trip": None, "steps": []}
COPIED = {"name": "copy", "at": AT, "ok": True, "detail": "24 MiB", "output": ""}
FULL = {
    "name": "install",
    "at": AT,
    "ok": False,
    "detail": "its disk is full",
    "output": "tar: \x1b[31mNo space",
}


def _states(api: Api, *views: dict[str, Any]) -> None:
    """The machine as it is from one look to the next; the last stays."""
    left = list(views)
    api.on("GET", "/nodes/far", lambda: left.pop(0) if len(left) > 1 else left[0])


def test_machines_are_listed_with_what_is_not_known_of_them(api: Api) -> None:
    api.on("GET", "/nodes", [HERE, FAR, STRANGER])
    _, here, far, there = api.ennio("node", "list").out.splitlines()
    assert here.split()[:3] == ["desk", "here", "0.2.0"]
    assert "25ms" in far
    assert there.split()[:4] == ["build-7", "unknown", "?", "?"]


def test_what_is_asked_over_plain_ssh_has_no_version_that_could_be_unknown(api: Api) -> None:
    api.on("GET", "/nodes", [HERE, PLAIN]).on("GET", "/nodes/lab", PLAIN)
    listed = api.ennio("node", "list").out.splitlines()[-1]
    assert listed.split() == ["me@lab", "connected", "25ms", "1", "1.0", "GiB"]
    first = api.ennio("node", "status", "lab").out.splitlines()[0]
    assert first == "me@lab  connected  over ssh, without an ennio-node"


def test_the_status_of_one_says_what_is_looked_at_there(api: Api) -> None:
    api.on("GET", "/nodes", [HERE]).on("GET", "/nodes/here", HERE)
    api.on("GET", "/nodes/build-7", STRANGER)
    assert "runtime:tmux" in api.ennio("node", "status").out
    assert "3 (2 of my-app, 1 of api)" in api.ennio("node", "status", "here").out
    told = api.ennio("node", "status", "build-7")
    assert "nobody knows it" in told.out
    assert "free disk" not in told.out


def test_the_status_of_one_waits_for_an_answer_of_now(api: Api) -> None:
    _states(
        api,
        FAR | {"state": "unknown", "seen_at": None},
        FAR | {"seen_at": "2026-11-27T10:00:00+00:00"},
    )
    assert "round trip   25ms" in api.ennio("node", "status", "far").out


def test_connecting_says_each_step_as_it_ends_and_then_how_far_it_is(api: Api) -> None:
    api.on("POST", "/nodes/far/connect", CONNECTING)
    _states(api, CONNECTING, CONNECTING | {"steps": [COPIED]}, FAR | {"steps": [COPIED]})
    ended = api.ennio("node", "connect", "far")
    assert ended.code == 0
    assert ended.err.count("copy") == 1, "each is said once"
    assert "connected to me@build: 25ms there and back, ennio-node 0.2.0" in ended.out


@pytest.mark.parametrize(("state", "code"), [("refused", 5), ("unreachable", 1)])
def test_a_connection_that_fails_ends_with_its_reason(api: Api, state: str, code: int) -> None:
    api.on("POST", "/nodes/far/connect", CONNECTING)
    _states(api, FAR | {"state": state, "error": "its disk is full", "steps": [COPIED, FULL]})
    ended = api.ennio("node", "connect", "far")
    assert (ended.code, "its disk is full" in ended.err) == (code, True)
    shown = api.ennio("node", "status", "far").out
    assert r"tar: \x1b[31mNo space" in shown, "what the program said, and it steers no terminal"


def test_disconnecting_says_how_many_sessions_go_on_there(api: Api) -> None:
    for many, words in (
        (0, "no session is there"),
        (1, "1 session goes on"),
        (4, "4 sessions go on"),
    ):
        api.on("POST", "/nodes/far/disconnect", {"host": "me@build", "sessions": many})
        ended = api.ennio("node", "disconnect", "far")
        assert words in ended.out
    assert ended.out.splitlines()[-1] == "ennio node connect far connects again"


def test_the_end_of_the_log_is_shown_with_its_place(api: Api) -> None:
    text = "one\ntwo\nthree\n"
    api.on("GET", "/nodes/far/logs", {"host": "me@build", "path": "/h/log", "text": text})
    ended = api.ennio("node", "logs", "far", "--lines", "2")
    assert ended.out.split() == ["two", "three"]
    assert "me@build:/h/log" in ended.err
    assert api.ennio("node", "logs", "far", "--json").document["text"] == text
