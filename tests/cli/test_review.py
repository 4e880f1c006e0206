"""Diffs and reviews on the command line: in the person's pager, and as one order."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest

from tests.cli.conftest import Api
from tests.cli.told import SESSION

PLACE = "/sessions/ma-1a2b3c4d"
FILE: dict[str, Any] = {"path": "a.py", "status": "added", "added": 1, "removed": 0}
DIFF: dict[str, Any] = {
    "base": "0123456789abcdef",
    "base_name": "main",
    "head": None,
    "files": [FILE],
    "count": 3,
    "added": 5,
    "removed": 2,
    "truncated": True,
    "note": "the base is gone",
    "text": "diff --git a/a.py b/a.py\n+x = 1\n",
    "cut": True,
}
SENT = {"message": "m", "comments": 1, "pull": None, "problem": None}


@pytest.fixture
def told(api: Api) -> Api:
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION).on("GET", f"{PLACE}/diff", DIFF)
    return api.on("POST", f"{PLACE}/review", SENT)


def test_the_patch_opens_in_the_pager_at_a_terminal_and_nowhere_else(told: Api) -> None:
    told.place.folder.joinpath("pager.sh").write_text("cat > paged.txt\n")
    reader, writer = pty.openpty()
    env = told.place.env | {"TERM": "xterm", "PAGER": "sh 'pager.sh'"}
    words = told.place.command("diff", "ma-1a2b3c4d")
    process = subprocess.Popen(
        words, cwd=told.place.folder, env=env, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    assert process.wait(30) == 0
    os.close(reader)
    paged = told.place.folder / "paged.txt"
    assert "\x1b[32m+x = 1\x1b[0m\n" in paged.read_text()
    paged.unlink()
    plain = told.ennio("diff", "ma-1a2b3c4d", PAGER="sh pager.sh")
    assert plain.out == "diff --git a/a.py b/a.py\n+x = 1\n"
    assert "the base is gone" in plain.err
    assert "longer than what is shown" in plain.err
    assert not paged.exists()
    for pager in ("cat", "", "'", "no-such-pager"):
        assert "+x = 1" in told.ennio("diff", "ma-1a2b3c4d", PAGER=pager).out


def test_what_is_not_listed_is_counted(told: Api) -> None:
    lines = told.ennio("diff", "ma-1a2b3c4d", "--stat").out.splitlines()
    assert "... and 2 more" in lines
    assert lines[-1] == "3 files  +5  -2  since 0123456789 of main"


def test_comments_are_sent_as_one_order(told: Api) -> None:
    words = ["-c", "a b.py:3-7", "Why?", "-c", "c:d.py", "Add a test", "--forge", "--head", "abc"]
    done = told.ennio("review", "ma-1a2b3c4d", *words, "-m", "Almost")
    assert done.code == 0, done.err
    assert told.last[3] == {
        "author": "person",
        "comments": [
            {"path": "a b.py", "line": 3, "end_line": 7, "body": "Why?"},
            {"path": "c:d.py", "body": "Add a test"},
        ],
        "forge": True,
        "head": "abc",
        "body": "Almost",
    }
    given = {"comments": [{"path": "a", "body": "b"}], "forge": True}
    told.ennio("review", "ma-1a2b3c4d", "--file", "-", given=json.dumps(given))
    assert told.last[3] == {"author": "person", **given}
    told.place.folder.joinpath("said.json").write_text(json.dumps(given["comments"]))
    told.ennio("review", "ma-1a2b3c4d", "--file", "said.json")
    assert told.last[3] == {"author": "person", "comments": given["comments"]}


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        ([], "", "no comment"),
        (["--file", "-"], "{", "is no JSON"),
        (["--file", "-"], "3", "must hold an object"),
        (["--file", "-", "-c", "a", "b"], "[]", "do not go together"),
        (["--file", "nowhere.json"], "", "cannot read nowhere.json"),
        (["-c", "", "b"], "", "--comment: '' names no file"),
        (["-c", ":1", "b"], "", "--comment: ':1' names no file"),
        (["-c", ":1-3", "b"], "", "--comment: ':1-3' names no file"),
    ],
)
def test_what_is_no_review_is_said_and_nothing_is_sent(
    told: Api, words: list[str], given: str, said: str
) -> None:
    done = told.ennio("review", "ma-1a2b3c4d", *words, given=given)
    assert done.code == 2
    assert said in done.err
    assert not [one for one in told.asked if one[0] == "POST"]


def test_what_the_forge_refused_is_said_and_fails_the_command(told: Api) -> None:
    told.on("POST", f"{PLACE}/review", SENT | {"problem": "its head is another one"})
    done = told.ennio("review", "ma-1a2b3c4d", "-c", "a.py:1", "x")
    assert (done.code, "1 comment waits for" in done.out) == (1, True)
    assert "not on the pull request: its head is another one" in done.err
