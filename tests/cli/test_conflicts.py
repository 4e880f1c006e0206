"""Conflicts that are expected, on the command line."""

from __future__ import annotations

from typing import Any

from ennio.cli.conflict_view import warning_lines
from tests.cli.conftest import Api
from tests.cli.test_pulls import PULL
from tests.cli.told import SESSION

ONE: dict[str, Any] = {"one": "ma-1", "other": "ma-2", "project_id": "my-app"}
ONE |= {"one_branch": "login", "other_branch": "logout", "one_head": "1", "other_head": "2"}
ONE |= {"paths": ["a", "b", "c", "d"], "since": "2026-01-02T03:04:05Z"}
WITH = [{"with": "ma-2", "branch": "logout", "paths": ["src/app.py"], "since": ONE["since"]}]
NONE: dict[str, Any] = {"conflicts": [], "waiting": 0, "left_out": 0, "problems": {}}


def test_they_are_shown_with_whom_and_where(api: Api) -> None:
    report = NONE | {"conflicts": [ONE], "waiting": 1, "left_out": 2}
    api.on("GET", "/conflicts", report)
    titles, row, waits, left = api.ennio("conflicts", "My App").out.splitlines()
    assert titles.split() == ["PROJECT", "SESSION", "WITH", "AGE", "PATHS"]
    assert row.split()[:3] == ["my-app", "ma-1", "ma-2"]
    assert row.endswith("a, b, c and 1 more")
    assert waits == "1 pair of branches still to be tried"
    assert left == "2 pairs of branches left out: too many"
    assert api.last == ("GET", "/conflicts", {"project_id": "my-app"}, None)
    assert api.ennio("conflicts", "--json").document == report


def test_none_and_not_known_are_told_apart(api: Api) -> None:
    api.on("GET", "/conflicts", NONE)
    assert api.ennio("conflicts").out == "no conflicts are expected between branches\n"
    older = {"problems": {"my-app": "git 2.30.2 cannot"}, "waiting": None, "left_out": None}
    api.on("GET", "/conflicts", NONE | older)
    lines = api.ennio("conflicts").out.splitlines()
    assert lines[1:] == [
        "my-app: git 2.30.2 cannot",
        "how far they are known cannot be told just now",
    ]


def test_a_branch_that_is_called_as_its_session_is_named_once() -> None:
    one = {"with": "ma-2", "branch": "ma-2", "paths": ["src/app.py"]}
    assert warning_lines([one]) == ["a conflict is expected with ma-2: src/app.py"]


def test_whoever_looks_approves_or_merges_is_told_before_and_with_it(api: Api) -> None:
    warning = "a conflict is expected with ma-2 (logout): src/app.py"
    pull = PULL | {"conflicts_expected": WITH}
    api.on("GET", "/projects/my-app/pulls/7", pull)
    api.on("POST", "/projects/my-app/pulls/7/approve", pull)
    merged = {"commit": "c0ffee", "message": "", "conflicts_expected": WITH}
    api.on("POST", "/projects/my-app/pulls/7/merge", merged)
    assert warning in api.ennio("pr", "show", "my-app", "7").out
    assert warning in api.ennio("pr", "approve", "my-app", "7").err
    assert warning in api.ennio("pr", "merge", "my-app", "7").err
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION | {"conflicts": WITH})
    for what in ("evidence", "events", "messages", "reactions"):
        api.on("GET", f"/sessions/ma-1a2b3c4d/{what}", [])
    assert "with ma-2 (logout): src/app.py" in api.ennio("session", "info", "ma-1a2b3c4d").out
