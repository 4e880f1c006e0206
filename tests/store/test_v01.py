"""A database of Ennio v0.1 opens, keeps its rows, and is still what the documentation says."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.events import Draft, EventType
from ennio.model.session import Activity, Priority, RuntimeHandle, SessionStatus, Usage
from ennio.store import Store, open_store
from ennio.store.migrations import NEWEST

DOCUMENTED = ("sessions", "events", "projects", "session_metrics")


def _rows(path: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as database:
        found = database.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - names of the fixture
    database.close()
    return found


def _columns(path: Path, table: str) -> dict[str, tuple[object, ...]]:
    with sqlite3.connect(path) as database:
        found = {row[1]: row[2:] for row in database.execute(f"PRAGMA table_info({table})")}
    database.close()
    return found


def _keys(path: Path, table: str) -> tuple[list[Any], list[Any]]:
    with sqlite3.connect(path) as database:
        foreign = [row[2:] for row in database.execute(f"PRAGMA foreign_key_list({table})")]
        indices = [
            (name, [column[2] for column in database.execute(f"PRAGMA index_info({name})")])
            for (_, name, *_) in database.execute(f"PRAGMA index_list({table})")
        ]
    database.close()
    return foreign, indices


@pytest.fixture
def migrated(v01: Path) -> Store:
    store = open_store("sqlite:ennio.db", v01.parent, ManualClock(datetime(2026, 5, 1, tzinfo=UTC)))
    assert store.schema_version == NEWEST
    return store


def test_no_value_of_an_old_row_is_touched(v01: Path) -> None:
    columns = {
        table: ", ".join(f'"{name}"' for name in _columns(v01, table)) for table in DOCUMENTED
    }
    before = {table: _rows(v01, table, columns[table]) for table in DOCUMENTED}
    open_store("sqlite:ennio.db", v01.parent, ManualClock()).close()
    assert {table: _rows(v01, table, columns[table]) for table in DOCUMENTED} == before


@pytest.mark.parametrize("table", DOCUMENTED)
def test_a_new_database_has_the_documented_columns_keys_and_indices_and_only_nullable_ones_beside_them(
    v01: Path, tmp_path: Path, table: str
) -> None:
    open_store("sqlite:new.db", tmp_path, ManualClock()).close()
    documented, ours = _columns(v01, table), _columns(tmp_path / "new.db", table)
    assert {name: ours[name] for name in documented} == documented
    assert all(not ours[name][1] for name in ours.keys() - documented.keys()), (
        "an added column must be nullable"
    )
    (old_foreign, old_indices), (foreign, indices) = (
        _keys(v01, table),
        _keys(tmp_path / "new.db", table),
    )
    assert foreign == old_foreign
    assert all(index in indices for index in old_indices)


def test_an_old_database_ends_up_with_the_very_schema_of_a_new_one(
    v01: Path, tmp_path: Path
) -> None:
    for name in ("ennio.db", "new.db"):
        open_store(f"sqlite:{name}", tmp_path, ManualClock()).close()
    names = "SELECT type || name FROM sqlite_master ORDER BY 1"
    assert [row[0] for row in sqlite3.connect(v01).execute(names)] == [
        row[0] for row in sqlite3.connect(tmp_path / "new.db").execute(names)
    ]
    for (table,) in (
        sqlite3.connect(v01)
        .execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetchall()
    ):
        assert _columns(v01, table) == _columns(tmp_path / "new.db", table)


def test_opening_a_migrated_database_again_changes_nothing(v01: Path) -> None:
    contents = []
    for _ in range(2):
        open_store("sqlite:ennio.db", v01.parent, ManualClock()).close()
        with sqlite3.connect(v01) as database:
            contents.append(list(database.iterdump()))
        database.close()
    assert contents[0] == contents[1]


def test_old_sessions_are_read_with_their_handle_usage_and_both_kinds_of_times(
    migrated: Store,
) -> None:
    session = migrated.sessions.need("ma-1")
    assert session.status is SessionStatus.CI_FAILED
    assert session.activity is Activity.WAITING_INPUT
    assert session.created_at == datetime(2025, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
    assert session.last_activity_at == datetime(2025, 11, 2, 10, 30, tzinfo=UTC)
    assert session.runtime_handle == RuntimeHandle("ma-1", "tmux", {"session": "ma-1", "pid": "17"})
    assert session.usage == Usage(1200, 30, Decimal("0.12"))
    assert session.summary == "half done"
    assert session.metadata == {"a": "b", "n": "1"}
    assert session.priority == 0
    bare = migrated.sessions.need("ma-0")
    assert (bare.status, bare.usage, bare.runtime_handle) == (SessionStatus.SPAWNING, None, None)


def test_sessions_are_listed_by_age_although_their_times_are_texts_in_two_formats(
    migrated: Store,
) -> None:
    assert [session.id for session in migrated.sessions.list()] == ["ma-1", "ma-2", "ma-0"]


def test_an_old_session_survives_being_saved(migrated: Store) -> None:
    session = migrated.sessions.need("ma-1")
    migrated.sessions.save(session)
    assert migrated.sessions.need("ma-1") == session


def test_old_events_are_numbered_by_their_time_and_null_data_is_none(migrated: Store) -> None:
    events = migrated.events.after(0)
    assert [(event.seq, event.id) for event in events] == [
        (1, "e-first"),
        (2, "e-middle"),
        (3, "e-late"),
    ]
    assert [event.data for event in events] == [{}, {}, {"run": 1}]
    assert events[2].priority is Priority.ACTION


def test_new_events_go_on_after_the_old_numbers(migrated: Store) -> None:
    with migrated.transaction() as transaction:
        event = transaction.emit("ma-1", "my-app", Draft(EventType.SESSION_KILLED, "killed"))
    assert event.seq == 4
    assert migrated.events.last_seq() == 4


def test_old_projects_and_metrics_are_read(migrated: Store) -> None:
    (project,) = migrated.projects.list()
    assert (project.project_id, project.name, project.default_branch) == (
        "my-app",
        "My App",
        "main",
    )
    metrics = migrated.metrics.get("ma-1")
    assert (metrics.total_tokens_in, metrics.estimated_cost_usd) == (1200, Decimal("0.1"))


def test_an_event_whose_time_cannot_be_read_does_not_keep_the_database_shut(v01: Path) -> None:
    with sqlite3.connect(v01) as database:
        database.execute("UPDATE events SET timestamp = 'yesterday' WHERE id = 'e-late'")
    database.close()
    store = open_store("sqlite:ennio.db", v01.parent, ManualClock())
    assert store.events.last_seq() == 3
    assert [event.id for event in store.events.after(1)] == ["e-first", "e-middle"]
    store.close()
