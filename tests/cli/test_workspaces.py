"""Cleaning up on the command line, and what was preserved."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Api


def test_cleanup_tells_what_became_of_each_and_how_much_is_freed(api: Api) -> None:
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "removed",
        "reason": "merged",
        "preserved": "refs/ennio/preserved/ma-1",
    }
    api.on(
        "POST",
        "/cleanup",
        [item, item | {"session_id": "ma-2", "action": "kept", "reason": "alive"}],
    )
    ended = api.ennio("cleanup", "--project", "my-app", "--dry-run")
    assert api.last[3] == {"force": False, "dry_run": True, "project_id": "my-app"}
    assert ended.out.splitlines()[-1] == "2.0 KiB freed; 2.0 KiB more with --force"


def test_cleanup_says_nothing_of_the_size_of_what_is_kept_and_was_not_measured(api: Api) -> None:
    item = {"session_id": "ma-1", "path": "/w", "size": 0, "action": "kept", "reason": "working"}
    api.on("POST", "/cleanup", [item, item | {"session_id": "ma-2", "action": "would remove"}])
    ended = api.ennio("cleanup", "--dry-run").out.splitlines()
    kept, gone = (next(line for line in ended if line.startswith(one)) for one in ("ma-1", "ma-2"))
    assert ("0 B" in kept, "0 B" in gone) == (False, True)
    api.on("POST", "/cleanup", [item])
    assert api.ennio("cleanup", "--dry-run").out.splitlines()[-1] == "0 B would be freed"


def test_cleanup_says_of_a_pipe_that_it_is_no_file(api: Api) -> None:
    unsaved = [
        {"path": "log", "size": 1, "why": "ignored"},
        {"path": "pipe", "size": 0, "why": "FIFO"},
    ]
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "removing",
        "reason": "merged",
        "unsaved": unsaved,
    }
    api.on("POST", "/cleanup", [item])
    told = api.ennio("cleanup").out.splitlines()
    assert "ma-1: not saved, since git ignores it: log (1 B)" in told
    assert "ma-1: not saved, since it is no file: pipe (FIFO)" in told


def test_cleanup_names_what_is_not_saved_the_largest_first(api: Api) -> None:
    unsaved = [{"path": f"log-{number}", "size": number, "why": "ignored"} for number in range(6)]
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "would remove",
        "reason": "merged",
        "unsaved": unsaved,
    }
    api.on("POST", "/cleanup", [item])
    expected = (
        "ma-1: not saved, since git ignores it: log-5 (5 B), log-4 (4 B), log-3 (3 B), log-2 (2 "
        "B), log-1 (1 B) and 1 more"
    )
    assert expected in api.ennio("cleanup", "--dry-run").out.splitlines()


def test_a_session_of_another_project_than_the_one_beside_it_is_not_cleaned_up(api: Api) -> None:
    api.on("GET", "/projects", [{"id": one, "name": one} for one in ("app", "other")])
    api.on("GET", "/sessions/ma-1", {"id": "ma-1", "project_id": "app"})
    api.on("GET", "/sessions", [{"id": "ma-1"}])
    api.on("POST", "/sessions/ma-1/cleanup", [])
    refused = api.ennio("cleanup", "ma-1", "--project", "other")
    assert refused.code == 2
    assert "--project: session ma-1 is one of project app, not of other" in refused.err
    assert not [asked for asked in api.asked if asked[0] == "POST"]
    assert api.ennio("cleanup", "ma-1", "--project", "app").code == 0


def test_what_was_preserved_is_listed_shown_and_brought_back(api: Api) -> None:
    item = {
        "id": "ma-1-2", "project_id": "my-app", "source": "/src", "place": "refs/ennio/preserved/ma-1-2", "commit": "c0ffee1234567",
        "at": "2026-01-01T00:00:00Z", "subject": "Not committed in session ma-1",
    }  # fmt: skip
    api.on("GET", "/preserved", [item])
    api.on(
        "GET",
        "/preserved/ma-1-2",
        {"item": item, "commits": ["c0ffee one"], "files": ["M README"], "more": False},
    )
    api.on("POST", "/preserved/ma-1-2/restore", {"item": item, "branch": "mine"})

    assert "ma-1-2" in api.ennio("preserved", "list", "--project", "my-app").out
    shown = api.ennio("preserved", "show", "ma-1-2").out
    assert api.ennio("preserved", "restore", "ma-1-2", "--branch", "mine").out.startswith(
        "it is on the branch mine of /src now"
    )

    assert api.last[3] == {"branch": "mine"}
    assert "  M README" in shown.splitlines()
    assert api.ennio("preserved", "list", "--json").document == [item]


def test_what_was_preserved_may_be_named_by_how_its_id_begins(api: Api) -> None:
    item = {"id": "a-94240000", "project_id": "app", "source": "/src", "place": "/p", "at": "now"}
    api.on("GET", "/preserved", [item, item | {"id": "b-1"}, item | {"id": "b-2"}])
    told = {"item": item, "commits": [], "files": ["M two\nlines"], "more": False}
    api.on("GET", "/preserved/a-94240000", told)
    api.on("POST", "/preserved/a-94240000/restore", {"item": item, "branch": "mine"})
    shown = api.ennio("preserved", "show", "a-94").out
    assert "a-94240000 of app" in shown
    assert "  M two lines" in shown.splitlines(), "a file is a line, whatever is in its name"
    assert "branch mine" in api.ennio("preserved", "restore", "a-94").out
    several = api.ennio("preserved", "restore", "b-")
    assert (several.code, "2 begin with 'b-': b-1, b-2; " in several.err) == (2, True)
    assert api.ennio("preserved", "show", "c-").code == 3


def test_an_agent_may_end_its_own_session_and_see_what_a_cleanup_would_do(api: Api) -> None:
    api.on("GET", "/sessions", [{"id": "ma-1"}]).on("DELETE", "/sessions/ma-1", "killed").on(
        "POST", "/cleanup", []
    )
    assert api.ennio("session", "kill", "ma-1", ENNIO_SESSION_ID="ma-1").code == 0
    assert api.ennio("cleanup", "--dry-run", ENNIO_SESSION_ID="ma-1").code == 0


class ByHost(dict[Any, Any]):
    """The answers of a supervisor one of whose machines is away."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.answers)
        self._api = api

    def get(self, asked: Any, missing: Any = None) -> Any:
        host = self._api.asked[-1][2].get("host")
        if asked == ("GET", "/preserved") and host != "here":
            return (
                504,
                {"error": "me@build cannot be reached: no route", "code": 504},
                "Unreachable",
            )
        return super().get(asked, missing)


def test_what_is_saved_where_somebody_answers_is_listed_beside_who_is_away(api: Api) -> None:
    item = {"id": "ma-1-2", "project_id": "my-app", "place": "x", "commit": "c0ffee1234567"}
    api.on("GET", "/preserved", [item | {"at": "2026-01-01T00:00:00Z", "subject": "Not committed"}])
    api.on("GET", "/nodes", [{"name": "desk"}, {"name": "me@build"}])
    api.answers = ByHost(api)
    told = api.ennio("preserved", "list")
    assert told.code == 1, "it is not all"
    assert "ma-1-2" in told.out
    assert "not shown, since it cannot be asked: me@build cannot be reached: no route" in told.err
