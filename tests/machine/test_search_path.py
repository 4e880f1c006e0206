"""A ``PATH`` as a person is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.search_path import folders_of
from ennio.plugins import git_errors


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "empty"),
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        ("/a:/b:/c:/d", "/a:/b:/c:/d"),
        ("/a:/b:/c:/d:/e:/f", "/a:/b:/c:/d, and 2 more"),
    ],
)
def test_the_first_folders_are_named_and_the_others_counted(path: str, told: str) -> None:
    assert folders_of(path) == told


def test_no_error_holds_the_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", ":".join(f"/opt/{number}/bin" for number in range(50)))
    said = "big filter-process: 1: big: not found\nerror: external filter 'big' failed 127"
    error = git_errors.failure(LocalMachine(), "git add", Path("/x"), 128, said)
    assert "/opt/3/bin, and 46 more" in str(error)
    assert "/opt/4/bin" not in str(error)
