"""Every table is declared once, and every way to a database leads to what is declared."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.store import open_store, tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.declaring import key_of, name_of
from ennio.store.row_table import RowTable
from ennio.store.sqlite import MEMORY, Sqlite
from ennio.store.statements import SQLITE

TABLES = {name_of(table) for table in tables.TABLES}


def columns(database: sqlite3.Connection, table: str) -> dict[str, tuple[Any, ...]]:
    """Type, whether it can be NULL, default and place in the key, by name. What is in the
    key is never NULL with us.
    """
    found = database.execute(f"PRAGMA table_xinfo({table})")
    return {
        name: (kind, bool(needed or key), default, key)
        for _, name, kind, needed, default, key, _ in found
    }


def keys(database: sqlite3.Connection, table: str) -> set[tuple[Any, ...]]:
    """Foreign keys."""
    return {row[2:] for row in database.execute(f"PRAGMA foreign_key_list({table})")}


def indices(database: sqlite3.Connection, table: str) -> Counter[tuple[Any, ...]]:
    """Name (where somebody gave it one), whether it is unique, and columns with their direction."""
    found: Counter[tuple[Any, ...]] = Counter()
    for _, name, unique, origin, _ in database.execute(f"PRAGMA index_list({table})"):
        ordered = [
            (row[2], row[3]) for row in database.execute(f"PRAGMA index_xinfo({name})") if row[5]
        ]
        found[(name if origin == "c" else origin, unique, tuple(ordered))] += 1
    return found


def names(database: sqlite3.Connection, kind: str) -> set[str]:
    return {
        name
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,)
        )
    }


@pytest.fixture
def declared() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    for statement in tables.creation(SQLITE):
        database.execute(statement)
    return database


def _same(database: sqlite3.Connection, declared: sqlite3.Connection) -> None:
    assert names(database, "table") == names(declared, "table") == TABLES
    assert names(database, "view") == names(declared, "view")
    for table in TABLES:
        assert columns(database, table) == columns(declared, table), table
        assert keys(database, table) == keys(declared, table), table
        assert indices(database, table) == indices(declared, table), table
    for view in names(declared, "view"):
        rows = f"SELECT * FROM {view}"  # noqa: S608 - our own names
        assert [column[0] for column in database.execute(rows).description] == [
            column[0] for column in declared.execute(rows).description
        ]


def test_the_steps_of_the_migrations_lead_to_the_tables_that_are_declared(
    tmp_path: Path, declared: sqlite3.Connection
) -> None:
    open_store("sqlite:new.db", tmp_path, ManualClock()).close()
    with closing(sqlite3.connect(tmp_path / "new.db")) as database:
        _same(database, declared)


def test_a_database_of_v01_ends_up_with_the_tables_that_are_declared(
    v01: Path, declared: sqlite3.Connection
) -> None:
    open_store(f"sqlite:{v01}", v01.parent, ManualClock()).close()
    with closing(sqlite3.connect(v01)) as database:
        _same(database, declared)


def test_the_documented_tables_are_declared_as_they_are_documented(
    v01: Path, declared: sqlite3.Connection
) -> None:
    with closing(sqlite3.connect(v01)) as documented:
        for table in ("sessions", "events", "projects", "session_metrics"):
            theirs, ours = columns(documented, table), columns(declared, table)
            assert {name: ours[name] for name in theirs} == theirs
            assert not [name for name in ours.keys() - theirs.keys() if ours[name][1]], (
                "an added column must be nullable"
            )
            assert keys(declared, table) == keys(documented, table)
            assert not indices(documented, table) - indices(declared, table)


@dataclass(frozen=True)
class _Odd:
    session_id: str
    surprise: str


def test_a_field_that_no_table_has_is_a_bug_that_names_where_it_belongs() -> None:
    with pytest.raises(
        RuntimeError,
        match=r"table queue has no column surprise: declare it in ennio/store/tables\.py",
    ):
        RowTable(Connection(Sqlite(MEMORY, 1.0)), tables.QueueTable, shape_of(_Odd))


def test_what_makes_a_row_unique_is_read_from_its_table() -> None:
    assert key_of(tables.MergeTable) == ("session_id", "head")
    assert key_of(tables.QueueTable) == ("session_id",)
