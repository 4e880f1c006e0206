"""Pull requests on the command line: shown, reviewed, merged."""

from __future__ import annotations

from typing import Any

import pytest

from ennio.cli import caller
from tests.cli.conftest import Api
from tests.cli.told import SESSION

PULL: dict[str, Any] = {
    "project_id": "my-app",
    "number": 7,
    "url": "u7",
    "title": "Log in",
    "branch": "issue-42-login",
    "base": "main",
    "head": "0a1b",
}
PULL |= {
    "state": "open",
    "draft": False,
    "mergeability": "clean",
    "conflicts": [],
    "checks": "failing",
    "review": "none",
    "merge_commit": None,
}
PULL |= {
    "check_runs": [
        {
            "id": "1",
            "name": "lint",
            "state": "failing",
            "url": None,
            "log_tail": "E501 line too long",
        }
    ],
    "comments": [
        {
            "id": "c",
            "author": "ann",
            "body": "Add a test",
            "path": "a.py",
            "line": 3,
            "decision": None,
        }
    ],
}


def test_a_pull_request_is_named_by_project_and_number_or_by_its_session(api: Api) -> None:
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION).on("GET", "/projects/my-app/pulls/7", PULL)
    for words in (["my-app", "7"], ["My App", "#7"], ["my-app#7"], ["ma-1a2b3c4d"]):
        assert api.ennio("pr", "show", *words).code == 0, words
    lines = api.ennio("pr", "show", "my-app", "7").out.splitlines()
    assert "  | E501 line too long" in lines
    assert "ann on a.py:3:  [c]" in lines
    assert api.ennio("pr", "show", "my-app", "seven").code == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"own": False, "told": False}, "ann on a.py:3:  [c]"),
        ({"own": True, "told": False}, "ann (own words, not told to the agent) on a.py:3:  [c]"),
        ({"own": True, "told": True}, "ann (the agent has it in a message) on a.py:3:  [c]"),
        ({"own": True}, "ann (own words, not told to the agent) on a.py:3:  [c]"),
    ],
)
def test_what_its_agent_was_told_is_said_of_a_comment(
    api: Api, more: dict[str, bool], words: str
) -> None:
    pull = PULL | {"comments": [PULL["comments"][0] | more]}
    api.on("GET", "/projects/my-app/pulls/7", pull)
    assert words in api.ennio("pr", "show", "my-app#7").out.splitlines()


def test_reviews_and_merges_carry_what_was_said(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/request-changes", PULL).on(
        "POST", "/projects/my-app/pulls/7/merge", {"commit": "c0ffee", "message": ""}
    )
    assert (
        api.ennio(
            "pr",
            "request-changes",
            "my-app",
            "7",
            "-m",
            "Add a test",
            "--path",
            "a.py",
            "--line",
            "3",
        ).code
        == 0
    )
    assert api.last[3] == {"body": "Add a test", "path": "a.py", "line": 3}
    assert api.ennio("pr", "merge", "my-app", "7", "--method", "squash").out == "merged as c0ffee\n"
    assert api.last[3] == {"method": "squash", "by": caller.name()}
    api.on("POST", "/projects/my-app/pulls/7/approve", PULL)
    assert (
        api.ennio("pr", "approve", "my-app", "7", "--head", "abc").out
        == f"approved #7 at {PULL['head'][:7]}\n"
    )
    assert api.last[3] == {"head": "abc"}
    assert api.ennio("pr", "comment", "my-app", "7").code == 2


def test_pr_list_and_create_and_issues(api: Api) -> None:
    api.on("GET", "/pulls", [PULL]).on("POST", "/projects/my-app/pulls", PULL)
    api.on("POST", "/projects/my-app/issues", {"id": "3"}).on(
        "GET",
        "/projects/my-app/issues",
        [{"id": "3", "state": "open", "title": "T", "labels": ["bug"]}],
    )
    assert api.ennio("pr", "list").out.splitlines()[1].split() == [
        "my-app",
        "#7",
        "open",
        "failing",
        "none",
        "clean",
        "issue-42-login",
        "Log",
        "in",
    ]
    api.on("GET", "/pulls", [PULL | {"checks": "passing", "check_runs": []}])
    assert "  no checks  " in api.ennio("pr", "list").out.splitlines()[1], (
        "nothing passed where nothing ran"
    )
    assert api.ennio("pr", "create", "my-app", "-b", "x", "-t", "T").out == "#7 is open: u7\n"
    assert (
        "ennio spawn my-app --issue 3" in api.ennio("issue", "add", "my-app", "T", "-l", "bug").out
    )
    assert api.last[3] == {"title": "T", "body": "", "labels": ["bug"]}
    assert api.ennio("issue", "list", "my-app").out.splitlines()[1].split() == [
        "3",
        "open",
        "T",
        "bug",
    ]


@pytest.mark.parametrize(
    ("by_push", "state"), [(True, "merged (by push)"), (False, "merged"), (None, "merged")]
)
def test_a_pull_request_that_a_push_merged_is_told_apart_from_a_merge(
    api: Api, by_push: bool | None, state: str
) -> None:
    merged = PULL | {"state": "merged", "merged_by_push": by_push}
    api.on("GET", "/pulls", [merged]).on("GET", "/projects/my-app/pulls/7", merged)
    assert f"  {state}  " in api.ennio("pr", "list").out.splitlines()[1]
    assert f"state         {state}" in [
        line.rstrip() for line in api.ennio("pr", "show", "my-app", "7").out.splitlines()
    ]
    assert api.ennio("pr", "list", "--json").document[0]["merged_by_push"] is by_push


def test_comments_are_answered_and_threads_settled(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/reply", PULL).on(
        "POST", "/projects/my-app/pulls/7/resolve", PULL
    )
    assert api.ennio("pr", "reply", "my-app#7", "c", "-m", "Done").out == "answered c on #7\n"
    assert api.last[3] == {"comment": "c", "body": "Done"}
    assert api.ennio("pr", "resolve", "my-app#7", "c").out == "settled c on #7\n"
    assert api.last[3] == {"thread": "c"}
    assert api.ennio("pr", "reply", "my-app#7", "c").code == 2


def test_a_merge_that_the_forge_does_later_says_how(api: Api) -> None:
    api.on(
        "POST",
        "/projects/my-app/pulls/7/merge",
        {"commit": "", "message": "#7 is in the merge queue of main"},
    )
    assert api.ennio("pr", "merge", "my-app", "7").out == "#7 is in the merge queue of main\n"


def test_a_review_with_empty_words_is_refused_by_the_words_it_lacks(api: Api) -> None:
    ended = api.ennio("pr", "request-changes", "my-app", "7", "-m", "")
    assert ended.code != 0
    assert "--message: is empty" in ended.err


@pytest.mark.parametrize(
    ("commit", "many", "said"),
    [
        ("c0ffee", 2, "2 messages for its agent were not delivered: ennio messages ma-1a2b3c4d"),
        ("c0ffee", 1, "1 message for its agent was not delivered: ennio messages ma-1a2b3c4d"),
        ("", 1, "1 message for its agent was not delivered so far: ennio messages ma-1a2b3c4d"),
        ("c0ffee", 0, ""),
    ],
)
def test_whoever_merges_is_told_of_words_that_its_agent_did_not_get(
    api: Api, commit: str, many: int, said: str
) -> None:
    merged = {"commit": commit, "message": "queued", "undelivered": many}
    api.on("POST", "/projects/my-app/pulls/7/merge", merged)
    api.on("GET", "/sessions", [SESSION | {"pr_number": 7}])
    done = api.ennio("pr", "merge", "my-app#7")
    assert (done.code, said in done.err, "messages" in done.err) == (0, True, many > 0)


def test_an_agent_merges_nothing_and_approves_in_its_own_name(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/approve", PULL).on(
        "POST", "/projects/my-app/pulls/7/merge", {"commit": "c", "message": ""}
    )
    assert api.ennio("pr", "merge", "my-app", "7", "--force").code == 0
    assert api.last[3] == {"force": True, "by": caller.name()}
    for force in ((), ("--force",)):
        ended = api.ennio("pr", "merge", "my-app", "7", *force, ENNIO_SESSION_ID="ma-1")
        assert (ended.code, "agents do not merge" in ended.err) == (5, True)
    assert api.ennio("pr", "approve", "my-app", "7", ENNIO_SESSION_ID="ma-1").code == 0
    assert api.last[3] == {"author": "ma-1"}


FILES = {
    "base": "b",
    "head": "h",
    "files": [
        {"path": "a.py", "status": "modified", "added": 2, "removed": 1, "before": None},
        {"path": "b.bin", "status": "renamed", "added": None, "removed": None, "before": "c.bin"},
    ],
    "truncated": True,
}


def test_what_a_pull_request_changes_is_shown_before_it_is_approved(api: Api) -> None:
    diff = {
        "base": "b",
        "head": "h",
        "text": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n",
        "truncated": True,
    }
    api.on("GET", "/projects/my-app/pulls/7/diff", diff).on(
        "GET", "/projects/my-app/pulls/7/files", FILES
    )
    api.on("GET", "/projects/my-app/pulls/7", PULL)
    ended = api.ennio("pr", "diff", "my-app#7")
    assert (ended.out, "longer than what is shown" in ended.err) == (diff["text"], True)
    assert api.ennio("pr", "diff", "my-app#7", "--json").document == diff
    lines = api.ennio("pr", "files", "my-app#7").out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["a.py", "modified", "2", "1"],
        ["b.bin", "(was", "c.bin)", "renamed", "?", "?"],
        ["...", "and", "more"],
    ]
    assert lines[1] in api.ennio("pr", "show", "my-app#7").out.splitlines()
    assert api.ennio("pr", "show", "my-app#7", "--json").document["files"] == FILES["files"]


def test_a_forge_that_does_not_tell_the_files_is_shown_without(api: Api) -> None:
    api.on("GET", "/projects/my-app/pulls/7", PULL)
    ended = api.ennio("pr", "show", "my-app#7")
    assert (ended.code, "pull request" in ended.out) == (0, True)


def test_each_review_is_shown_with_the_head_it_is_of(api: Api) -> None:
    approved = {"ab12cdef00": "ada", PULL["head"]: "bob"}
    opinions = [
        {"author": author, "decision": "approved", "head": head}
        for head, author in approved.items()
    ]
    api.on("GET", "/projects/my-app/pulls/7", {**PULL, "opinions": opinions})
    lines = [line.strip() for line in api.ennio("pr", "show", "my-app#7").out.splitlines()]
    assert "approved by ada at ab12cde, stale: the head is 0a1b" in lines
    assert "approved by bob at 0a1b" in lines
    stale = {**PULL, "review": "approved", "opinions": opinions[:1]}
    api.on("GET", "/pulls", [stale, {**stale, "opinions": opinions}])
    assert ["approved, stale" in line for line in api.ennio("pr", "list").out.splitlines()[1:]] == [
        True,
        False,
    ]


PACK: dict[str, Any] = {"session_id": "ma-1a2b3c4d", "project_id": "my-app", "title": "Log in"}
PACK |= {"pull": PULL | {"url": "u7"}, "counts": {"passing": 2, "failing": 1, "pending": 0}}
PACK |= {"checks": PULL["check_runs"] + [{"name": "unit", "state": "passing", "log_tail": "ok"}]}
PACK |= {"cost": None, "said": None, "conflicts": [], "problems": ["changes: its branch is gone"]}
PACK |= {"files": [], "changes": None}


def test_a_page_to_review_from_says_what_fails_and_what_is_not_known(api: Api) -> None:
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION)
    api.on("GET", "/sessions/ma-1a2b3c4d/pack", PACK)
    api.on("GET", "/sessions", [SESSION | {"pr_number": 7}])
    out = api.ennio("pr", "pack", "ma-1a2b3c4d").out
    lines = out.splitlines()
    assert [
        line.split() for line in lines if line.startswith(("checks ", "changes ", "cost "))
    ] == [
        ["checks", "1", "failing,", "2", "passing"],
        ["changes", "?"],
        ["cost", "?"],
    ]
    assert "  | E501 line too long" in lines
    assert "  it has said nothing yet" in lines
    assert lines[-1] == "  changes: its branch is gone"
    assert "unit" not in out
    assert api.ennio("pr", "pack", "my-app#7").out == out
    missing = api.ennio("pr", "pack", "my-app#8")
    assert (missing.code, "is of no session" in missing.err) == (3, True)
