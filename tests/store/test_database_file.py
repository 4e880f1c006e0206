"""A database that is taken away under an open store: noticed at the next write, saved whole, and
nothing is written into nowhere.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Gone
from ennio.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    store.meta.set("what", "was there")
    return store


def saved(folder: Path) -> str:
    """What the copy beside the database says."""
    (copy,) = folder.glob("ennio.db.saved-*")
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as connection:
        return str(connection.execute("SELECT value FROM meta WHERE key = 'what'").fetchone()[0])


def clean(folder: Path) -> None:
    """As ``git clean -fdx`` does."""
    for path in folder.glob("ennio.db*"):
        path.unlink()


def test_a_database_that_was_removed_is_noticed_at_the_next_write_and_saved(
    store: Store, tmp_path: Path
) -> None:
    assert store.problem is None
    clean(tmp_path)
    with pytest.raises(
        Gone, match=r"ennio\.db was removed .* mv \S+saved-\S+ \S+ennio\.db && ennio start"
    ):
        store.meta.set("what", "is lost")
    with pytest.raises(Gone), store.transaction():
        pass
    assert saved(tmp_path) == "was there"
    assert not (tmp_path / "ennio.db").exists(), "nothing is made in its place"


def test_what_was_known_can_still_be_read(store: Store, tmp_path: Path) -> None:
    clean(tmp_path)
    assert store.problem is not None
    assert store.meta.get("what") == "was there"


def test_a_database_that_was_replaced_is_not_written_to(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    open_store("sqlite:ennio.db", other, ManualClock()).close()
    shutil.move(other / "ennio.db", tmp_path / "ennio.db")
    with pytest.raises(Gone, match="was replaced"):
        store.meta.set("what", "is lost")
    assert saved(tmp_path) == "was there"


def test_a_write_ahead_log_that_was_removed_is_noticed_too(store: Store, tmp_path: Path) -> None:
    (tmp_path / "ennio.db-wal").unlink()
    with pytest.raises(Gone, match=r"ennio\.db-wal, which belongs to the database"):
        store.meta.set("what", "is lost")
    assert saved(tmp_path) == "was there"


def test_a_database_that_is_put_back_is_written_to_again(store: Store, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in tmp_path.glob("ennio.db*"):
        path.rename(aside / path.name)
    with pytest.raises(Gone):
        store.meta.set("what", "is lost")
    for path in aside.iterdir():
        path.rename(tmp_path / path.name)
    store.meta.set("what", "goes on")
    assert store.meta.get("what") == "goes on"
    assert store.problem is None


def test_a_folder_that_went_with_it_leaves_no_copy_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    store = open_store("sqlite:ennio.db", folder, ManualClock())
    store.meta.set("what", "was there")
    shutil.rmtree(folder)
    with pytest.raises(Gone, match="nothing can be written any more"):
        store.meta.set("what", "is lost")
    folder.mkdir()
    with pytest.raises(Gone, match="is saved"):
        store.meta.set("what", "is lost")
    assert saved(folder) == "was there"


def test_other_readers_that_come_and_go_are_no_reason(store: Store, tmp_path: Path) -> None:
    for _ in range(3):
        with sqlite3.connect(tmp_path / "ennio.db") as other:
            other.execute("SELECT * FROM meta").fetchall()
        other.close()
        store.meta.set("what", "goes on")
    assert store.problem is None


def test_a_database_in_memory_has_no_file_to_lose(tmp_path: Path) -> None:
    store = open_store("sqlite::memory:", tmp_path, ManualClock())
    store.meta.set("what", "is there")
    assert store.problem is None
