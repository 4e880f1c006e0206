"""Copies an SQLite database into an empty one of a PostgreSQL server: whole, or not at all.

``python -m ennio.store.copying`` does it with what ``{"source": ..., "target": ...}`` on stdin
names, tells in a line of JSON how far it is, and ends with the exit code of what went wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ennio.config import database
from ennio.machine import files
from ennio.model.clock import Clock, SystemClock, rfc3339
from ennio.model.errors import Conflict, EnnioError, Refused
from ennio.store import tables
from ennio.store.connection import Connection
from ennio.store.declaring import DeclaredTable, columns_of, kinds_of, name_of
from ennio.store.dialect import Row
from ennio.store.migrations import NEWEST, migrate
from ennio.store.postgres import Postgres
from ennio.store.sqlite import Sqlite

Tell = Callable[[str, int, int], None]
"""Told of each table how many of its rows are copied, and of how many."""
_AT_ONCE = 1000
_PATIENCE = 2.0


def copy(source: str, target: str, clock: Clock, tell: Tell) -> Mapping[str, int]:
    """Copy all of it and return how many rows each table has; both are addresses as they stand in
    ``database_url``, with an absolute path.

    Raises Conflict where a supervisor works on either, and Refused where the source is not there,
    is of another version or holds what cannot be copied, and where the target is not empty.
    """
    with (
        _source(source) as old,
        closing(Connection(Postgres(target).open(_PATIENCE))) as new,
        new.transaction(),
    ):
        new.check()
        _insist_on_empty(new)
        migrate(new.sql, 0, new.dialect.statements, rfc3339(clock.now()))
        new.sql(f"DELETE FROM {name_of(tables.MigrationTable)}")  # noqa: S608 - our own names
        counts = {name_of(table): _copied(old, new, table, tell) for table in tables.TABLES}
        _continue_sequences(new)
        _compare(old, new)
    return counts


@contextmanager
def _source(url: str) -> Iterator[Connection]:
    """The database that is copied, which nobody else works on until the end of the block."""
    file = database.file(url)
    if file is None:
        raise Refused(f"{database.shown(url)} is no SQLite database: only a file can be copied")
    if not file.exists():
        raise Refused(f"there is no database {file}")
    with (
        _held(file),
        closing(Connection(Sqlite(str(file), _PATIENCE))) as connection,
        connection.transaction(),
    ):
        connection.check()
        _insist_on_newest(connection)
        yield connection


@contextmanager
def _held(file: Path) -> Iterator[None]:
    lock = files.acquire(database.lock_of(file), patience=_PATIENCE)
    if lock is None:
        holder = database.held_by(files.holder(database.lock_of(file)))
        raise Conflict(f"a supervisor works on {file}: {holder}")
    try:
        yield
    finally:
        os.close(lock)


def _insist_on_newest(connection: Connection) -> None:
    found = connection.dialect.tables()
    version = 0
    if "schema_migrations" in found:
        version = connection.sql("SELECT MAX(version) FROM schema_migrations").fetchone()[0] or 0
    if version != NEWEST:
        way = "start and stop Ennio on it once, which brings it up to date"
        way = way if version < NEWEST else "update Ennio"
        raise Refused(f"{connection.name} has schema {version}, and {NEWEST} is copied: {way}")
    orphans = connection.sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        many = ", ".join(sorted({str(row[0]) for row in orphans}))
        raise Refused(
            f"{len(orphans)} rows of {connection.name} belong to sessions that are not in it "
            f"(tables: {many}), which PostgreSQL does not take: delete them first"
        )


def _insist_on_empty(connection: Connection) -> None:
    found = sorted(connection.dialect.tables())
    if found:
        named = ", ".join(found[:3]) + (", ..." if found[3:] else "")
        raise Refused(
            f"{connection.name} is not empty (it has {named}): make a new database with createdb, "
            "or name a schema of its own"
        )


def _copied(old: Connection, new: Connection, table: type[DeclaredTable], tell: Tell) -> int:
    name, columns, done = name_of(table), columns_of(table), 0
    whole, kinds = _count(old, name), kinds_of(table)
    rows = old.sql(f"SELECT {', '.join(columns)} FROM {name} ORDER BY rowid")  # noqa: S608
    tell(name, 0, whole)
    while batch := rows.fetchmany(_AT_ONCE):
        new.load(name, columns, [_row(new, name, kinds, row) for row in batch])
        done += len(batch)
        tell(name, done, whole)
    return done


def _row(new: Connection, name: str, kinds: Sequence[type[Any]], row: Row) -> Row:
    """A row as its columns are declared: SQLite keeps any value in any column."""
    try:
        made = (
            None if value is None else kind(value) for value, kind in zip(row, kinds, strict=True)
        )
        return tuple(new.dialect.sound(one) if isinstance(one, str) else one for one in made)
    except (TypeError, ValueError) as error:
        raise Refused(f"a row of {name} cannot be copied ({error}): {row}") from error


def _continue_sequences(new: Connection) -> None:
    """Whatever is numbered goes on behind the highest number there is."""
    ordered = [name_of(table) for table in tables.TABLES if "ordinal" in columns_of(table)]
    numbered = [(name, "ordinal", name) for name in ordered]
    for sequence, column, table in [*numbered, ("events", "seq", tables.EVENT_VIEW)]:
        last = new.sql(f"SELECT COALESCE(MAX({column}), 0) FROM {table}").fetchone()[0]  # noqa: S608
        if last:
            new.sql(_AT_LEAST, (sequence, last))


_AT_LEAST = (
    "INSERT INTO sequence (name, value) VALUES (%s, %s) ON CONFLICT (name)"
    " DO UPDATE SET value = greatest(sequence.value, excluded.value)"
)


def _compare(old: Connection, new: Connection) -> None:
    for table in tables.TABLES:
        name = name_of(table)
        was, came = _count(old, name), _count(new, name)
        if was != came and table is not tables.SequenceTable:
            raise Refused(f"{name}: {came} of {was} rows came through, so nothing was copied")


def _count(connection: Connection, table: str) -> int:
    found = connection.sql(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608 - our own names
    return int(found[0])


def main() -> int:
    """Copy what stdin names, and say how far it is; returns the exit code."""

    def told(table: str, done: int, whole: int) -> None:
        print(json.dumps({"table": table, "done": done, "of": whole}), flush=True)

    try:
        asked = json.load(sys.stdin)
        counts = copy(asked["source"], asked["target"], SystemClock(), told)
    except EnnioError as error:
        print(json.dumps({"error": str(error), "code": error.exit_code}))
        return error.exit_code
    except KeyboardInterrupt:
        return 130  # the person knows; nothing of it is there
    print(json.dumps({"copied": counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
