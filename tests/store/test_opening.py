"""A database opens, is made, or is left exactly as it was with words on why."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Session
from ennio.store import open_store
from ennio.store.migrations import NEWEST


def _open_and_close(path: Path, patience: float = 5.0) -> int:
    store = open_store(f"sqlite:{path}", path.parent, ManualClock(), patience=patience)
    try:
        return store.schema_version
    finally:
        store.close()


def _dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        found = list(database.iterdump())
    database.close()
    return found


def test_a_relative_url_is_relative_to_the_configuration_and_not_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    open_store("sqlite:ennio.db", tmp_path, ManualClock()).close()
    assert (tmp_path / "ennio.db").exists()
    assert not any(elsewhere.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ennio.db",
        "mysql://a:secret@b/c",
        "sqlite:",
        "sqlite:x.db?cache=shared",
        "postgresql://u:secret@h",
    ],
)
def test_another_url_is_refused_with_the_way_out_and_without_its_password(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(
        Refused, match=r"database_url: .*(sqlite:ennio\.db|postgresql://user@host)"
    ) as refusal:
        open_store(url, tmp_path, ManualClock())
    assert "secret" not in str(refusal.value)
    assert not any(tmp_path.iterdir())


def test_a_store_in_memory_works_and_leaves_no_file(tmp_path: Path, session: Session) -> None:
    store = open_store("sqlite::memory:", tmp_path, ManualClock())
    store.sessions.insert(session)
    assert store.sessions.need(session.id) == session
    store.close()
    assert not any(tmp_path.iterdir())


def test_a_new_database_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_store("sqlite:ennio.db", tmp_path, ManualClock()).close()
    assert (tmp_path / "ennio.db").stat().st_mode & 0o777 == 0o600


def test_incident_04_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "ennio.db"
    path.touch()
    assert _open_and_close(path) == NEWEST


@pytest.mark.real
def test_incident_04_a_start_that_died_half_way_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ennio.db"
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom ennio.model.clock import ManualClock\n"
        "from ennio.store import migrations, open_store\n"
        "real = migrations.MIGRATIONS[-1].statements[:1]\n"
        "migrations.MIGRATIONS = (*migrations.MIGRATIONS[:-1],"
        " migrations.Migration(migrations.NEWEST, 'x', real, lambda sql: os._exit(9)))\n"
        "open_store('sqlite:' + sys.argv[1], Path('/'), ManualClock())\n"
    )
    died = subprocess.run([sys.executable, "-c", script, str(path)], timeout=60, check=False)
    assert died.returncode == 9
    assert _open_and_close(path) == NEWEST


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ennio.db"
    _open_and_close(path)
    before = _dump(path)
    assert _open_and_close(path) == NEWEST
    assert _dump(path) == before


def test_what_is_written_survives_closing(tmp_path: Path, session: Session) -> None:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    store.sessions.insert(session)
    store.close()
    again = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    assert again.sessions.list() == (session,)
    again.close()


def test_a_closed_store_is_not_opened_again_in_silence(tmp_path: Path) -> None:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    store.close()
    store.close()
    for ask in (lambda: store.meta.get("x"), store.data_version):
        # who asks while the process ends meets no error of Ennio itself
        with pytest.raises(Unreachable, match="closed database"):
            ask()


def test_the_write_ahead_log_is_on_and_foreign_keys_are_checked(tmp_path: Path) -> None:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    pragmas = {
        name: store._connection.sql(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "foreign_keys", "busy_timeout")
    }
    store.close()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000}


def _text(path: Path) -> None:
    path.write_text("dear diary, this is no database at all\n" * 100)


def _short(path: Path) -> None:
    path.write_bytes(b"SQLite")


def _damaged(path: Path) -> None:
    _open_and_close(path)
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xff" * 4096 * 4
    path.write_bytes(content)


def _newer(path: Path) -> None:
    _open_and_close(path)
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO schema_migrations VALUES (999, 'from the future', '2030-01-01')"
        )
    database.close()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE sessions (token TEXT)")
    database.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_text, "is not an SQLite database"),
        (_short, "is not an SQLite database"),
        (_damaged, "is damaged"),
        (_newer, "newer Ennio .schema 999"),
        (_foreign, "another program"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_left_as_it_was(
    tmp_path: Path, spoil: object, words: str
) -> None:
    path = tmp_path / "ennio.db"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(Refused, match=words) as refusal:
        _open_and_close(path)
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == before


def test_a_folder_or_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "ennio.db"):
        with pytest.raises(Refused, match=str(path)):
            _open_and_close(path)
    assert not (tmp_path / "missing").exists()


def test_a_locked_database_is_out_of_reach_for_now_and_untouched(v01: Path) -> None:
    before = v01.read_bytes()
    holder = sqlite3.connect(v01, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Unreachable, match="locked by another process") as failure:
            _open_and_close(v01, patience=0.05)
    finally:
        holder.close()
    assert str(v01) in str(failure.value)
    assert v01.read_bytes() == before


def test_a_lock_that_comes_later_is_out_of_reach_for_now_and_over_when_it_goes(
    tmp_path: Path,
) -> None:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock(), patience=0.05)
    holder = sqlite3.connect(tmp_path / "ennio.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable, match="locked by another process"):
        store.meta.set("k", "v")
    holder.close()
    store.meta.set("k", "v")
    assert store.meta.get("k") == "v"
    store.close()


def test_a_full_disk_is_said_in_words_and_the_store_goes_on_when_there_is_space(
    tmp_path: Path,
) -> None:
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    limit = store._connection.sql("PRAGMA page_count").fetchone()[0]
    store._connection.sql(f"PRAGMA max_page_count = {limit}")

    def fill() -> None:
        with store.transaction():
            store.meta.set("small", "x")
            store.meta.set("big", "x" * 1_000_000)

    with pytest.raises(Unreachable, match="no space left"):
        fill()
    assert store.meta.get("small") is None
    store._connection.sql("PRAGMA max_page_count = 1000000")
    store.meta.set("big", "x" * 1_000_000)
    assert len(store.meta.get("big") or "") == 1_000_000
    store.close()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="ennio-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.real
def test_a_database_that_may_not_be_written_is_refused_by_name_and_untouched(
    public_folder: Path,
) -> None:
    path = public_folder / "ennio.db"
    _open_and_close(path)
    path.chmod(0o444)
    before = path.read_bytes()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process, which root leaves its rights in
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            _open_and_close(path)
        except Refused as refusal:
            os._exit(0 if str(path) in str(refusal) and "ermission" in str(refusal) else 3)
        except BaseException:  # noqa: BLE001 - the exit code is all that leaves this process
            os._exit(4)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.read_bytes() == before
