"""Which step a database is at can be asked without doing anything to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError, Refused
from ennio.store import open_store
from ennio.store.migrations import MIGRATIONS, NEWEST
from ennio.store.schema_version import look
from tests.store.older import WITHOUT_CONFLICTS, go_back


def _made(url: str, folder: Path, version: int, *statements: str) -> None:
    store = open_store(url, folder, ManualClock())
    for statement in statements:
        store._connection.sql(statement)
    go_back(store, version)


def test_it_tells_the_steps_a_start_would_take_and_takes_none(url: str, tmp_path: Path) -> None:
    before = next(step.number for step in MIGRATIONS if "conflict" in step.name) - 1
    assert look(url)["schema"] is None
    _made(url, tmp_path, before, *WITHOUT_CONFLICTS)
    for _ in range(2):
        told = look(url)
        assert (told["schema"], told["newest"]) == (before, NEWEST)
        assert told["steps"] == [step.name for step in MIGRATIONS[before:]]


def test_one_of_a_newer_ennio_has_no_step_to_take(url: str, tmp_path: Path) -> None:
    _made(url, tmp_path, NEWEST + 2)
    assert (look(url)["schema"], look(url)["steps"]) == (NEWEST + 2, [])


def test_a_file_is_left_as_it_is_and_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'a b#%.db'}"
    assert look(url)["schema"] is None
    assert list(tmp_path.iterdir()) == []
    _made(url, tmp_path, NEWEST)
    before = (tmp_path / "a b#%.db").read_bytes()
    look(url)
    assert (tmp_path / "a b#%.db").read_bytes() == before


def test_what_is_no_database_of_ours_is_said_to_be_none(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as opened:
        opened.execute("CREATE TABLE sessions (id TEXT)")
    opened.close()
    with pytest.raises(Refused, match="another program"):
        look(f"sqlite:{other}")
    other.write_text("this is no database, and long enough to be taken for one" * 20)
    with pytest.raises(EnnioError, match="cannot be read"):
        look(f"sqlite:{other}")
