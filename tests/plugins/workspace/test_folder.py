"""Directories that go, and their sizes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace import folder

SOMEBODY = 65534


def test_sizes_are_those_of_the_disk_and_nothing_is_zero(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 1_000_000)

    sizes = folder.sizes(LocalMachine(), [tmp_path / "a", tmp_path / "gone"])

    assert sizes[tmp_path / "a"] >= 1_000_000
    assert sizes[tmp_path / "gone"] == 0


def test_a_discarded_folder_is_gone_with_what_an_earlier_crash_left(tmp_path: Path) -> None:
    (tmp_path / "w" / "deep").mkdir(parents=True)
    (tmp_path / ".w.removed" / "old").mkdir(parents=True)

    folder.discard(LocalMachine(), tmp_path / "w")
    folder.discard(LocalMachine(), tmp_path / "w")

    assert list(tmp_path.iterdir()) == []


def test_a_link_in_its_place_goes_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "w").symlink_to(tmp_path / "theirs")

    folder.discard(LocalMachine(), tmp_path / "w")

    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that somebody without root's rights can reach too."""
    directory = Path(tempfile.mkdtemp())
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def test_read_only_folders_go_for_ordinary_users_too(place: Path) -> None:
    deep = place / "w" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    for path in (deep, deep.parent):
        path.chmod(0o555)

    assert _as_somebody(place, place / "w") == "done"
    assert list(place.iterdir()) == []


def test_what_cannot_be_removed_is_named(place: Path) -> None:
    (place / "locked" / "w").mkdir(parents=True)
    (place / "locked").chmod(0o555)

    assert (
        _as_somebody(place, place / "locked" / "w")
        == f"Refused: {place}/locked/w cannot be removed: Permission denied"
    )
    assert (place / "locked" / "w").is_dir()


def _as_somebody(place: Path, path: Path) -> str:
    """Discard a path without root's rights, in a child that gives them up where we have them."""
    for one in (place, *place.rglob("*")):
        os.chown(one, SOMEBODY, SOMEBODY) if os.geteuid() == 0 else None
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, _discarded(path).encode())
        finally:
            os._exit(0)  # whatever happens: it must not go on with the tests as somebody else
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        return answer.read()


def _discarded(path: Path) -> str:
    try:
        if os.geteuid() == 0:
            os.setgid(SOMEBODY)
            os.setuid(SOMEBODY)
        folder.discard(LocalMachine(), path)
    except Refused as error:
        return f"Refused: {error}"
    return "done"
