"""Opening a database: what a url means, whose file it is, and bringing it up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import peewee

from ennio.model.clock import Clock, rfc3339
from ennio.model.errors import Refused
from ennio.store.connection import Connection
from ennio.store.failures import InWords
from ennio.store.migrations import NEWEST, migrate
from ennio.store.store import Store

_MEMORY = ":memory:"
_HEADER = b"SQLite format 3\0"
_BUSY_SECONDS = 5.0
_DOCUMENTED = frozenset({"id", "project_id", "status", "config_hash", "metadata", "created_at", "last_activity_at"})
_WAY_OUT = "write sqlite:ennio.db, sqlite:/an/absolute/path.db or sqlite::memory:"


def open_store(url: str, directory: Path, clock: Clock, *, patience: float = _BUSY_SECONDS) -> Store:
    """Open the database of a ``database_url``, made or migrated as needed; relative to ``directory``.

    ``patience`` is how many seconds a lock of another process is waited for. Raises Refused (not
    ours, newer, damaged, read-only) or Unreachable (locked) and then leaves the file as it was.
    """
    location = locate(url, directory)
    if location != _MEMORY:
        _look_at(Path(location))
    connection = Connection(_connect(location, patience), location)
    try:
        version = _bring_up_to_date(connection, clock)
        # not before the database is known to be ours: it changes the file
        connection.sql("PRAGMA journal_mode = wal")
        connection.sql("PRAGMA synchronous = normal")
        connection.sql("PRAGMA foreign_keys = on")
        if location != _MEMORY:
            connection.watch()
    except BaseException:
        connection.close()
        raise
    return Store(connection, clock, version)


def locate(url: str, directory: Path) -> str:
    """The file a url names, or ``:memory:``. Raises Refused; the url is not repeated, it may hold a password."""
    scheme, colon, rest = url.partition(":")
    if scheme in ("postgres", "postgresql"):
        raise Refused(f"database_url: PostgreSQL is not supported yet, it comes later; until then {_WAY_OUT}")
    if not colon or scheme != "sqlite":
        raise Refused(f"database_url: a url that starts with {scheme[:20]!r} is not understood; {_WAY_OUT}")
    path = rest.removesuffix("?mode=rwc").removeprefix("//")
    if not path or "?" in path:
        raise Refused(f"database_url: no file is named, or there are options after it; {_WAY_OUT}")
    return path if path == _MEMORY else str((directory / Path(path).expanduser()).absolute())


def _look_at(file: Path) -> None:
    """Make an empty file only its owner can read, or see that the one there may be a database. An empty one is new."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with file.open("rb") as stream:
            header = stream.read(len(_HEADER))
    except OSError as error:
        raise Refused(f"the database {file} cannot be opened: {error.strerror}; look at its folder and its permissions") from error
    if header and header != _HEADER:
        raise Refused(f"{file} is not an SQLite database; name another file in database_url, or move this one away")


def _connect(location: str, patience: float) -> Any:
    # one connection for all greenlets, and never a second one made in silence
    database = peewee.SqliteDatabase(
        location, thread_safe=False, autoconnect=False, check_same_thread=False, timeout=patience, pragmas={"foreign_keys": 0}
    )
    with InWords(location):
        database.connect()
    return database


def _bring_up_to_date(connection: Connection, clock: Clock) -> int:
    """Look and migrate in one transaction: two that open at once take turns, a failure leaves nothing behind."""
    with connection.transaction():
        _check_sound(connection)
        tables = _tables(connection)
        version = _version(connection, tables)
        if version > NEWEST:
            raise Refused(
                f"the database {connection.name} is of a newer Ennio (schema {version}, this one knows {NEWEST}): "
                "update Ennio, or restore a backup made before the update"
            )
        if version == NEWEST:
            return version
        return migrate(connection.sql, version, "?", rfc3339(clock.now()))


def _check_sound(connection: Connection) -> None:
    with InWords(connection.name):
        found = connection.sql("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _damaged(found)


def _damaged(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error


def _tables(connection: Connection) -> Mapping[str, frozenset[str]]:
    """The columns of every table there is."""
    names = connection.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'").fetchall()
    columns = "SELECT name FROM pragma_table_info(?)"
    return {name: frozenset(column for (column,) in connection.sql(columns, (name,)).fetchall()) for (name,) in names}


def _version(connection: Connection, tables: Mapping[str, frozenset[str]]) -> int:
    """The step the database is at; 0 for an empty one and for one of v0.1, which kept no such record of ours."""
    if tables and not tables.get("sessions", frozenset()) >= _DOCUMENTED:
        raise Refused(f"{connection.name} is the database of another program; name another file in database_url")
    if "schema_migrations" not in tables:
        return 0
    return int(connection.sql("SELECT COALESCE(MAX(version), 0) FROM schema_migrations").fetchone()[0])
