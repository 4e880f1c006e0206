"""An SQLite database is copied to a server whole, goes on there where it was, or is not copied at all."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.config import database
from ennio.machine import files
from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict, EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.message import Message, Origin
from ennio.model.session import Session, SessionStatus
from ennio.store import open_store, tables
from ennio.store.copying import copy
from ennio.store.declaring import DeclaredTable, columns_of, kinds_of, name_of
from ennio.store.statements import peewee
from tests.postgres import Server

pytestmark = pytest.mark.real

TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40)
NUMBERS = {int: st.integers(-(2**62), 2**62), float: st.floats(allow_nan=False)}
NAMED = (("sessions", "id"), ("ledger_accounts", "id"))
"""What rows of other tables refer to."""
HELD = {
    ("ledger_accounts", "type"): "asset",
    ("ledger_transfers", "debit"): "s-0",
    ("ledger_transfers", "credit"): "s-1",
    ("ledger_transfers", "amount"): 5,
    ("ledger_entries", "source"): "local",
    ("ledger_entries", "billing"): "plan",
    ("ledger_entries", "amount"): 0,
}
"""What the books themselves insist on."""
Rows = Mapping[str, list[tuple[Any, ...]]]


@st.composite
def whole_databases(draw: st.DrawFn) -> Rows:
    """Rows for every table, as many as there are sessions in it, and at least two."""
    many = draw(st.integers(2, 4))
    return {
        name_of(table): [tuple(_row(draw, table, number)) for number in range(many)]
        for table in tables.TABLES
        if table is not tables.MigrationTable
    }


def _row(draw: st.DrawFn, table: type[DeclaredTable], number: int) -> Iterator[Any]:
    for field, kind in zip(table._meta.sorted_fields, kinds_of(table), strict=True):
        column = (name_of(table), field.column_name)
        unique = field.primary_key or field.column_name in ("id", "ordinal", "seq", "key", "name")
        if column in HELD:
            yield HELD[column]
        elif isinstance(field, peewee.ForeignKeyField) or column in NAMED:
            yield f"s-{number}"
        elif kind is str:
            value = draw(st.none() | TEXTS) if field.null else draw(TEXTS)
            yield f"{number}:{value}" if unique or value is not None else None
        elif unique:
            yield number + 1 + 100 * (table is tables.SystemEventTable)
        else:
            yield draw(st.none() | NUMBERS[kind]) if field.null else draw(NUMBERS[kind])


def fill(file: Path, rows: Rows) -> None:
    """A database of this version that holds these rows."""
    file.unlink(missing_ok=True)
    open_store(f"sqlite:{file}", file.parent, ManualClock()).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = on")
        for table in tables.TABLES:
            name, columns = name_of(table), columns_of(table)
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            connection.executemany(statement, rows.get(name, []))


def held(run: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What every table holds, in no order."""
    return {
        name_of(table): sorted(
            run(f"SELECT {', '.join(columns_of(table))} FROM {name_of(table)}"),  # noqa: S608
            key=repr,
        )
        for table in tables.TABLES
        if table is not tables.SequenceTable  # which goes on behind what there is
    }


def _silent(_table: str, _done: int, _whole: int) -> None: ...


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=whole_databases())
def test_every_row_of_every_table_comes_through_as_it_was(
    rows: Rows, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("copied") / "ennio.db"
    fill(file, rows)
    target = postgres.made()
    counts = copy(f"sqlite:{file}", target, ManualClock(), _silent)
    schema = target.rpartition("%3D")[2]
    with closing(sqlite3.connect(file)) as connection:
        before = held(lambda query: connection.execute(query).fetchall())
    after = held(lambda query: postgres.sql(query.replace(" FROM ", f" FROM {schema}.")))
    assert after == before
    assert {**counts, "sequence": 0} == {name: len(found) for name, found in before.items()} | {
        "sequence": 0
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database that was worked with: a session, three events, two messages."""
    file = tmp_path / "ennio.db"
    clock = ManualClock()
    store = open_store(f"sqlite:{file}", tmp_path, clock)
    now = clock.now()
    session = Session("ma-1", "my-app", SessionStatus.WORKING, now, now, "cafe")
    store.sessions.insert(session)
    with store.transaction() as tx:
        for _ in range(3):
            tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "spawned"))
    for number in range(2):
        message = Message(f"m-{number}", "ma-1", f"{number}\0 \udc80", Origin.PERSON, clock.now())
        store.messages.add(message)
    store.close()
    return file


def test_the_numbers_of_events_and_messages_go_on_where_they_were(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    target, clock = postgres.made(), ManualClock()
    copy(f"sqlite:{file}", target, clock, _silent)
    store = open_store(target, tmp_path, clock)
    assert [event.seq for event in store.events.after(0)] == [1, 2, 3]
    assert [message.text for message in store.messages.list("ma-1")] == ["0\ufffd ?", "1\ufffd ?"]
    with store.transaction() as tx:
        assert tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "again")).seq == 4
    store.messages.add(Message("m-2", "ma-1", "later", Origin.PERSON, clock.now()))
    assert [message.id for message in store.messages.list("ma-1")] == ["m-0", "m-1", "m-2"]
    store.close()


def test_numbers_go_on_also_where_their_sequence_was_lost(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("DELETE FROM sequence")
    target = postgres.made()
    copy(f"sqlite:{file}", target, ManualClock(), _silent)
    store = open_store(target, tmp_path, ManualClock())
    with store.transaction() as tx:
        assert tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "again")).seq == 4
    store.close()


def test_what_is_copied_is_told_table_by_table(file: Path, postgres: Server) -> None:
    told: list[tuple[str, int, int]] = []
    copy(f"sqlite:{file}", postgres.made(), ManualClock(), lambda *at: told.append(at))
    assert ("events", 0, 3) in told
    assert ("events", 3, 3) in told
    assert {table for table, _, _ in told} == {name_of(table) for table in tables.TABLES}


def _refused(file: Path, target: str, words: str, kind: type[EnnioError] = Refused) -> None:
    before = file.read_bytes() if file.exists() else b""
    with pytest.raises(kind, match=words):
        copy(f"sqlite:{file}", target, ManualClock(), _silent)
    assert (file.read_bytes() if file.exists() else b"") == before


def test_a_target_that_is_not_empty_is_refused_and_stays_as_it_was(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    target = postgres.made()
    store = open_store(target, tmp_path, ManualClock())
    store.meta.set("mine", "kept")
    store.close()
    _refused(file, target, "is not empty")
    store = open_store(target, tmp_path, ManualClock())
    assert (store.meta.get("mine"), store.sessions.list()) == ("kept", ())
    store.close()


def test_a_target_on_which_a_supervisor_works_is_refused(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    target = postgres.made()
    store = open_store(target, tmp_path, ManualClock())
    _refused(file, target, "another supervisor works on", Conflict)
    store.close()


def test_a_source_that_a_supervisor_holds_is_refused(file: Path, postgres: Server) -> None:
    lock = files.acquire(database.lock_of(file))
    assert lock is not None
    files.note_holder(lock, '{"supervisor": 17, "config": "/a folder/ennio.yaml"}')
    way = "ennio stop --config '/a folder/ennio.yaml'"
    _refused(file, postgres.made(), f"a supervisor works on .*pid 17.*{way}", Conflict)
    os.close(lock)
    copy(f"sqlite:{file}", postgres.made(), ManualClock(), _silent)


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path, postgres: Server) -> None:
    _refused(tmp_path / "none.db", postgres.made(), "there is no database")
    assert not (tmp_path / "none.db").exists()


def test_a_database_of_an_older_version_is_refused_with_the_way_out(
    v01: Path, postgres: Server
) -> None:
    _refused(v01, postgres.made(), "start and stop Ennio on it once")


def test_one_of_an_older_version_that_was_brought_up_to_date_is_copied(
    v01: Path, postgres: Server, tmp_path: Path
) -> None:
    before = open_store(f"sqlite:{v01}", tmp_path, ManualClock())
    sessions, last = before.sessions.list(), before.events.last_seq()
    before.close()
    target = postgres.made()
    copy(f"sqlite:{v01}", target, ManualClock(), _silent)
    after = open_store(target, tmp_path, ManualClock())
    assert after.sessions.list() == sessions
    assert after.events.last_seq() == last > 0
    after.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM sessions", "belong to sessions that are not in it"),
        ("UPDATE sessions SET pr_number = 'many'", "a row of sessions cannot be copied"),
    ],
)
def test_what_the_server_would_not_take_is_named_and_nothing_is_copied(
    file: Path, postgres: Server, damage: str, words: str
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(damage)
    target = postgres.made()
    _refused(file, target, words)
    schema = target.rpartition("%3D")[2]
    found = postgres.sql(f"SELECT 1 FROM pg_tables WHERE schemaname = '{schema}'")  # noqa: S608
    assert found == [], "not even a table is left"


@pytest.mark.parametrize("source", ["sqlite::memory:", "postgresql://ennio@db.example/ennio"])
def test_only_a_file_is_copied(postgres: Server, source: str) -> None:
    with pytest.raises(Refused, match="is no SQLite database"):
        copy(source, postgres.made(), ManualClock(), _silent)


def test_a_process_of_its_own_says_how_far_it_is_and_what_went_wrong(
    file: Path, postgres: Server
) -> None:
    target = postgres.made()

    def run() -> tuple[int, list[dict[str, Any]]]:
        words = [sys.executable, "-m", "ennio.store.copying"]
        asked = json.dumps({"source": f"sqlite:{file}", "target": target})
        done = subprocess.run(
            words, input=asked, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    code, told = run()
    assert code == 0
    assert {"table": "messages", "done": 2, "of": 2} in told
    assert told[-1]["copied"]["events"] == 3
    code, (refusal,) = run()
    assert code == refusal["code"] == 5
    assert "is not empty" in refusal["error"]
