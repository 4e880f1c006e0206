"""What only PostgreSQL has: a lock instead of a file, a server that goes away and comes back,
greenlets that run while one waits.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.session import Session
from ennio.store import Store, migrations, open_store, postgres_server, tables
from ennio.store import postgres as dialect
from ennio.store.declaring import columns_of, name_of
from ennio.store.migrations import NEWEST, Migration
from ennio.store.statements import POSTGRES
from tests.conftest import eventually
from tests.postgres import Server, server

pytestmark = pytest.mark.real

_COLUMNS = """SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name
FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2"""
_INDICES = (
    "SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = "
    "current_schema() ORDER BY 1"
)
_KEYS = """SELECT conrelid::regclass::text, contype::text, replace(pg_get_constraintdef(oid), current_schema() || '.', '')
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2, 3"""


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.made()


@pytest.fixture
def alone() -> Iterator[Server]:
    """A server for this test alone, which may end it."""
    with server() as started:
        yield started


def _emit(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.emit("", "my-app", Draft(EventType.ALL_COMPLETE, "done"))


def test_a_second_supervisor_on_the_same_database_is_a_conflict_that_names_the_first(
    store: Store, url: str
) -> None:
    with pytest.raises(
        Conflict, match=r"another supervisor works on postgresql://\S+ already: ennio \S+ pid \d+"
    ) as conflict:
        open_store(url, Path(), ManualClock(), patience=0.2)
    assert "ennio stop" in str(conflict.value)
    store.close()
    open_store(url, Path(), ManualClock()).close()


def test_two_schemas_of_one_database_are_two_databases(store: Store, postgres: Server) -> None:
    other = open_store(postgres.made(), Path(), ManualClock())
    other.meta.set("k", "other")
    assert store.meta.get("k") is None
    other.close()


def test_a_new_database_has_the_tables_that_are_declared_and_opening_it_again_changes_nothing(
    store: Store, url: str
) -> None:
    found = store._connection.dialect.tables()
    assert found == {name_of(table): frozenset(columns_of(table)) for table in tables.TABLES}
    store.close()
    again = open_store(url, Path(), ManualClock())
    assert again.schema_version == NEWEST
    assert len(again._connection.sql("SELECT * FROM schema_migrations").fetchall()) == 1
    again.close()


def test_the_documented_defaults_are_those_of_sqlite(store: Store) -> None:
    store._connection.sql(
        "INSERT INTO sessions (id, project_id, config_hash) VALUES ('ma-0', 'my-app', 'cafe')"
    )
    session = store.sessions.need("ma-0")
    assert (session.status.value, session.metadata, session.created_at.tzinfo is not None) == (
        "spawning",
        {},
        True,
    )


def _schema(store: Store) -> list[list[Any]]:
    return [store._connection.sql(query).fetchall() for query in (_COLUMNS, _INDICES, _KEYS)]


def test_a_step_that_comes_later_leads_an_older_database_to_what_a_new_one_is(
    url: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column and a table that are declared today are taken out of a database, and a step of a
    migration adds them again.
    """
    older = open_store(url, Path(), ManualClock())
    older._connection.sql("ALTER TABLE sessions DROP COLUMN no_signal")
    older._connection.sql("DROP TABLE meta")
    older.close()
    statements = (
        "ALTER TABLE sessions ADD COLUMN no_signal TEXT",
        "CREATE TABLE meta (\n key TEXT PRIMARY KEY,\n value TEXT NOT NULL)",
    )

    def then(sql: Callable[..., Any]) -> None:
        sql("INSERT INTO meta VALUES (?, ?)", ("k", "by the step"))

    step = Migration(NEWEST + 1, "again", statements, then)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, step))
    for module in (migrations, sys.modules[open_store.__module__]):
        monkeypatch.setattr(module, "NEWEST", NEWEST + 1)
    migrated, new = (
        open_store(url, Path(), ManualClock()),
        open_store(postgres.made(), Path(), ManualClock()),
    )
    assert migrated.schema_version == new.schema_version == NEWEST + 1
    assert _schema(migrated) == _schema(new)
    assert migrated.meta.get("k") == "by the step"
    migrated.close()
    new.close()


def test_a_step_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(statement: str, *values: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "_record", fail)
    with pytest.raises(ZeroDivisionError):
        open_store(url, Path(), ManualClock())
    monkeypatch.undo()
    opened = open_store(url, Path(), ManualClock())
    assert opened.schema_version == NEWEST
    opened.close()


def test_a_newer_database_and_one_of_another_program_are_refused_by_name(postgres: Server) -> None:
    newer = postgres.made()
    opened = open_store(newer, Path(), ManualClock())
    opened._connection.sql(
        "INSERT INTO schema_migrations VALUES (999, 'from the future', '2030-01-01')"
    )
    opened.close()
    with pytest.raises(Refused, match=r"newer Ennio .schema 999"):
        open_store(newer, Path(), ManualClock())
    foreign = postgres.made()
    postgres.sql(f"CREATE TABLE {foreign.rpartition('%3D')[2]}.sessions (token TEXT)")
    with pytest.raises(Refused, match="another program"):
        open_store(foreign, Path(), ManualClock())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("/postgres?", "/nothing?"), r"does not exist on its server .*createdb"),
        (("ennio@", "nobody-known@"), r"refuses the user .*\.pgpass"),
        (("search_path%3Ds", "search_path%3Dnowhere"), "the schema of .* is not there"),
    ],
)
def test_what_is_not_there_is_refused_with_the_way_out(
    postgres: Server, change: tuple[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        open_store(postgres.made().replace(*change), Path(), ManualClock())


def test_a_server_that_does_not_answer_is_out_of_reach_and_no_password_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_server, "PATIENCE", 0.1)
    with pytest.raises(Unreachable, match="does not answer") as failure:
        open_store(
            "postgresql://me:secret@127.0.0.1:1/ennio?sslpassword=secret", Path(), ManualClock()
        )
    assert "postgresql://me@127.0.0.1:1/ennio" in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    "place",
    ["me:sec%ZZret@h/d", "me:secret@h/d?nonsense=secret", "me:secret@h:x/d", "me:secret@h:1,g:y/d"],
)
def test_an_address_that_is_none_is_refused_without_its_password(place: str) -> None:
    with pytest.raises(Refused, match="database_url") as refusal:
        open_store(f"postgresql://{place}", Path(), ManualClock())
    assert "sec" not in str(refusal.value)


def test_a_character_that_it_cannot_hold_does_not_stop_a_session(store: Store) -> None:
    store.meta.set("k", "a\0b\udce9")
    assert store.meta.get("k") == "a\ufffdb?"


def test_a_statement_that_failed_and_was_caught_is_no_commit(store: Store) -> None:
    def swallow() -> None:
        with store.transaction():
            store.meta.set("k", "half")
            with suppress(Exception):
                store._connection.sql("SELECT nonsense")

    with pytest.raises(RuntimeError, match="rolled back"):
        swallow()
    assert store.meta.get("k") is None
    store.meta.set("k", "whole")
    assert store.meta.get("k") == "whole"


def test_what_a_connection_was_lost_under_is_made_anew_for_the_next(
    store: Store, postgres: Server
) -> None:
    store.meta.set("k", "1")
    assert store.meta.get("k") == "1"
    gone = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
        "'ennio %'"
    )
    postgres.sql(gone)
    assert store.meta.get("k") == "1"
    store.meta.set("k", "2")
    postgres.sql(gone)
    _emit(store)
    assert store.events.last_seq() == 1
    assert store.problem is None


def test_a_connection_that_is_lost_inside_a_transaction_leaves_no_half_of_it(
    store: Store, session: Session, postgres: Server
) -> None:
    def broken() -> None:
        with store.transaction() as transaction:
            store.sessions.insert(session)
            transaction.emit(session.id, "my-app", Draft(EventType.STATUS_CHANGED, "changed"))
            postgres.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name "
                "LIKE 'ennio %'"
            )
            store.memories.save(session.id, "x")

    with pytest.raises(Unreachable):
        broken()
    assert store.sessions.list() == ()
    assert store.events.last_seq() == 0
    store.sessions.insert(session)


def test_a_server_that_goes_away_is_said_and_all_goes_on_when_it_is_back(
    alone: Server, session: Session
) -> None:
    store = open_store(alone.made(), Path(), ManualClock())
    store.sessions.insert(session)
    heard: list[int] = []
    store.listen(lambda events: heard.extend(event.seq for event in events))
    for how in (signal.SIGINT, signal.SIGKILL):
        _emit(store)
        before = store.events.last_seq()
        alone.stop(how)
        with pytest.raises(Unreachable, match="nothing is written until it does, and agents go on"):
            _emit(store)
        assert store.problem is not None
        assert "does not answer" in store.problem
        alone.start()
        eventually(lambda: _written(store, session), why="it is written to again")
        assert store.problem is None
        assert store.events.last_seq() == before
        _emit(store)
        assert heard[-1] == before + 1
    store.close()


def _written(store: Store, session: Session) -> bool:
    with suppress(Unreachable):
        store.sessions.save(replace(session, reason="it is back"))
        return True
    return False


def test_a_server_that_hangs_is_given_up_after_its_limit(
    alone: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "LIMIT", 0.3)
    monkeypatch.setattr(postgres_server, "PATIENCE", 0.3)
    monkeypatch.setattr(postgres_server, "_LOOK", 0.1)
    store = open_store(alone.made() + "&connect_timeout=2", Path(), ManualClock())
    store.meta.set("k", "1")
    alone.freeze()
    with pytest.raises(Unreachable):
        store.meta.set("k", "2")
    alone.thaw()
    eventually(lambda: _set(store, "3"), why="it is written to again")
    assert store.meta.get("k") == "3"
    store.close()


def _set(store: Store, value: str) -> bool:
    with suppress(EnnioError):
        store.meta.set("k", value)
        return True
    return False


def test_a_supervisor_that_lost_the_server_writes_nothing_once_another_took_over(
    alone: Server,
) -> None:
    url = alone.made()
    first = open_store(url, Path(), ManualClock())
    alone.stop()
    alone.start()
    second = open_store(url, Path(), ManualClock())
    with pytest.raises(Unreachable, match=r"another supervisor took over .*: ennio \S+ pid \d+"):
        first.meta.set("k", "first")
    assert "another supervisor took over" in str(first.problem)
    second.meta.set("k", "second")
    assert first.meta.get("k") == "second"
    second.close()
    first.meta.set("k", "first")
    assert first.problem is None
    first.close()


@pytest.mark.parametrize("happened", [True, False])
def test_a_commit_whose_answer_was_lost_is_looked_up(
    store: Store, postgres: Server, happened: bool
) -> None:
    dialect: Any = store._connection.dialect
    commit = dialect.commit

    def cut() -> None:
        if happened:
            commit()
        dialect._writer.pgconn.finish()
        if happened:
            raise dialect._psycopg.OperationalError("the server closed the connection unexpectedly")
        commit()

    dialect.commit = cut
    if happened:
        _emit(store)
    else:
        with pytest.raises(Unreachable):
            _emit(store)
    dialect.commit = commit
    assert store.events.last_seq() == int(happened)


GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys, time, gevent
from pathlib import Path
from ennio.model.clock import SystemClock
from ennio.model.events import Draft, EventType
from ennio.store import open_store
store = open_store(sys.argv[1], Path("/"), SystemClock())
heard = []
store.listen(lambda events: heard.extend(event.seq for event in events))
ticks, late = [], []
def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.01)
ticking = gevent.spawn(tick)
slow = gevent.spawn(store._connection.read_text, "SELECT pg_sleep(0.5)", ())
gevent.sleep(0.1)
assert not slow.ready()
store.meta.set("k", "while another reads")
assert not slow.ready(), "a write waited for a read"
slow.get()
gaps = [after - before for before, after in zip(ticks, ticks[1:])]
assert len(ticks) > 10 and max(gaps) < 0.4, max(gaps)
def work():
    for _ in range(5):
        with store.transaction() as transaction:
            transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "x"))
            transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "y"))
        assert store.meta.get("k") == "while another reads"
gevent.joinall([gevent.spawn(work) for _ in range(20)], raise_error=True)
def half():
    with store.transaction() as transaction:
        transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "half"))
        store._connection.sql("SELECT pg_sleep(60)")
victim = gevent.spawn(half)
gevent.sleep(0.2)
victim.kill()
_ = [gevent.spawn(work) for _ in range(2)]
gevent.joinall(_, raise_error=True)
events = store.events.after(0, limit=10000)
assert heard == [event.seq for event in events] == list(range(1, 221)), heard
assert [event.message for event in events] == ["x", "y"] * 110
"""


def test_while_one_waits_for_the_server_the_others_run_and_transactions_do_not_mix(
    url: str,
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", GREENLETS, url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_statements_of_steps_are_put_into_its_words() -> None:
    assert (
        migrations.in_words_of(POSTGRES, "ALTER TABLE a ADD COLUMN text_of INTEGER")
        == "ALTER TABLE a ADD COLUMN text_of BIGINT"
    )
    assert migrations.in_words_of(POSTGRES, "UPDATE a SET b = ?") == "UPDATE a SET b = %s"


def test_what_is_in_use_is_reckoned_from_a_part_of_a_large_table_and_falls_with_what_goes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = Draft(EventType.ALL_COMPLETE, "x" * 1000)
    for _ in range(10):
        with store.transaction() as transaction:
            for _ in range(200):
                transaction.emit("", "my-app", words)
    whole = store.size().used
    assert whole is not None
    assert 2_000_000 < whole < 3_000_000
    monkeypatch.setattr(dialect, "_SAMPLED", 100)  # of some three hundred blocks
    assert store.size().used == pytest.approx(whole, rel=0.5)
    for _ in range(9):
        store.retention.forget_events(store.events.last_seq() - 200)
    left = store.size()
    assert left.used is not None
    assert left.used < 0.3 * whole, "though the server gives nothing back"
    assert left.total > whole
