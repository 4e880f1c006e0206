"""Addresses: many spellings of one repository, and none of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.workspace.address import is_same, local_path

HERE = Path("/srv/app")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git@github.com:o/r.git", "https://github.com/o/r"),
        ("git@github.com:o/r.git", "ssh://git@github.com:22/o/r.git/"),
        ("https://user:token@GitHub.com/o/r.git", "git://github.com/o/r"),
        ("github.com:o/r", "git@github.com:o/r.git"),
        ("/srv/hub.git", "file:///srv/hub.git"),
        ("../hub.git", "/srv/hub.git"),
        ("/srv/app", "/srv/app/.git"),
        ("file:///srv/with%20space", "/srv/with space"),
    ],
)
def test_spellings_of_one_repository_are_the_same(one: str, other: str) -> None:
    assert is_same(LocalMachine(), one, other, HERE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git@github.com:o/r.git", "git@github.com:o/r2.git"),
        ("git@github.com:o/r.git", "git@gitlab.com:o/r.git"),
        ("http://localhost:3000/o/r", "http://localhost:3001/o/r"),
        ("/o/r", "git@github.com:o/r"),
        ("/srv/hub.git", "/srv/hub"),
    ],
)
def test_different_repositories_are_not(one: str, other: str) -> None:
    assert not is_same(LocalMachine(), one, other, HERE)


def test_a_path_is_told_from_a_host(tmp_path: Path) -> None:
    (tmp_path / "with:colon").mkdir()
    assert local_path(LocalMachine(), "host:path", tmp_path) is None
    assert local_path(LocalMachine(), "https://host/path", tmp_path) is None
    assert local_path(LocalMachine(), "with:colon", tmp_path) == tmp_path / "with:colon"
    assert local_path(LocalMachine(), "hub.git", tmp_path) == tmp_path / "hub.git"
