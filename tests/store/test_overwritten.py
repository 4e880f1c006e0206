"""Another database, or another state of the same one, is copied over the file: two histories are
never mixed, neither while it is open nor by the log that is left beside it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Gone, Refused
from ennio.store import Store, open_store

MANY = 3000


def opened(folder: Path) -> Store:
    return open_store("sqlite:ennio.db", folder, ManualClock())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    store.meta.set("what", "first")
    yield store
    store.close()


def told(file: Path) -> str:
    """What the database says, as anybody else reads it."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return str(connection.execute("SELECT value FROM meta WHERE key = 'what'").fetchone()[0])


def backup(file: Path, copy: Path, how: str = "backup") -> Path:
    """A copy of what a database holds now, in one of the ways people make them."""
    with closing(sqlite3.connect(file)) as source:
        if how == "vacuum":
            source.execute("VACUUM INTO ?", [str(copy)])
        else:
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
    return copy


def fill(store: Store, word: str) -> None:
    """Write so much that the log comes into the file more than once."""
    for number in range(MANY):
        store.meta.set(f"{word}-{number}", word * 50)
    store.meta.set("what", word)


def alone(file: Path) -> Path:
    """The database without its log, for a process other than the one that has it open."""
    place = file.parent / "alone"
    place.mkdir()
    return Path(shutil.copy(file, place / file.name))


def over(copy: Path, file: Path) -> None:
    """As ``cp`` does: the same file with other content."""
    inode = file.stat().st_ino
    shutil.copyfile(copy, file)
    assert file.stat().st_ino == inode


def test_a_database_of_another_ennio_that_is_copied_over_it_is_not_written_to(
    store: Store, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with closing(opened(other)) as theirs:
        theirs.meta.set("what", "theirs")
    assert store.problem is None
    over(other / "ennio.db", tmp_path / "ennio.db")
    with pytest.raises(
        Gone, match=r"was overwritten .* two histories are not mixed.*rm -f \S+-wal"
    ):
        store.meta.set("what", "is lost")
    with pytest.raises(Gone), store.transaction():
        pass
    store.close()
    store.close()
    with pytest.raises(Refused, match="would mix two histories"):
        opened(tmp_path)
    assert told(alone(tmp_path / "ennio.db")) == "theirs"
    with closing(opened(tmp_path / "alone")) as after:
        assert after.meta.get("what") == "theirs"


@pytest.mark.parametrize("how", ["backup", "vacuum"])
def test_an_older_state_that_is_put_back_over_it_is_not_written_to(
    store: Store, tmp_path: Path, how: str
) -> None:
    file, copy = tmp_path / "ennio.db", backup(tmp_path / "ennio.db", tmp_path / "copy", how)
    fill(store, "second")
    over(copy, file)
    with pytest.raises(Gone, match="was overwritten"):
        store.meta.set("what", "third")
    store.close()
    assert told(alone(file)) == "first"


def test_an_emptied_file_is_not_written_to(store: Store, tmp_path: Path) -> None:
    os.truncate(tmp_path / "ennio.db", 0)
    with pytest.raises(Gone, match="was overwritten"):
        store.meta.set("what", "third")


def test_what_sqlite_itself_does_with_the_file_is_no_overwriting(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "ennio.db"
    fill(store, "second")
    with closing(sqlite3.connect(file)) as person:
        person.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.meta.set("more", "of it")
        person.execute("VACUUM")
        person.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.meta.set("still", "more")
        person.execute("CREATE TABLE theirs (x)")
        person.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(store, "third")
    backup(file, tmp_path / "copy", "vacuum")
    assert store.problem is None
    store.close()
    assert told(file) == "third"
    with closing(opened(tmp_path)) as again:
        again.meta.set("what", "fourth")
    assert told(file) == "fourth"


CRASHING = """
import os, signal, sys
from pathlib import Path
from ennio.model.clock import SystemClock
from ennio.store import open_store
store = open_store("sqlite:ennio.db", Path(sys.argv[1]), SystemClock())
for number in range(int(sys.argv[2])):
    store.meta.set(f"k{number % 1500}", "x" * 300)
store.meta.set("what", "crashed")
os.kill(os.getpid(), signal.SIGKILL)
"""


def crash(folder: Path, writes: int) -> None:
    """A life that writes and is killed; its log stays."""
    done = subprocess.run([sys.executable, "-c", CRASHING, str(folder), str(writes)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (folder / "ennio.db-wal").stat().st_size


@pytest.mark.real
@pytest.mark.parametrize("writes", [1, 400, 3000])
def test_a_backup_beside_the_log_of_a_killed_life_is_refused_and_the_killed_life_itself_goes_on(
    tmp_path: Path, writes: int
) -> None:
    file = tmp_path / "ennio.db"
    with closing(opened(tmp_path)) as store:
        store.meta.set("what", "first")
    older = backup(file, tmp_path / "copy")
    for _ in range(2):
        crash(tmp_path, writes)
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in tmp_path.glob("ennio.db*"):
        shutil.copy(path, aside / path.name)
    over(older, file)
    with pytest.raises(Refused, match=r"rm -f \S+ennio\.db-wal \S+ennio\.db-shm"):
        opened(tmp_path)
    with closing(opened(aside)) as store:
        assert store.meta.get("what") == "crashed"
    for name in ("wal", "shm"):
        (tmp_path / f"ennio.db-{name}").unlink(missing_ok=True)
    with closing(opened(tmp_path)) as store:
        assert store.meta.get("what") == "first"


@pytest.mark.real
def test_the_log_of_a_database_of_an_older_ennio_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ennio.db"
    opened(tmp_path).close()
    with closing(sqlite3.connect(file)) as older:
        older.execute("PRAGMA application_id = 0")
        older.execute("PRAGMA user_version = 0")
        older.commit()
    crash(tmp_path, 10)
    with closing(opened(tmp_path)) as store:
        assert store.meta.get("what") == "crashed"
