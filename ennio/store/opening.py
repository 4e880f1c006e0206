"""Opening a database: what a url means, whose it is, and bringing it up to date."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ennio.config import database
from ennio.model.clock import Clock, rfc3339
from ennio.model.errors import EnnioError, Refused
from ennio.store.absent import AbsentServer
from ennio.store.connection import Connection
from ennio.store.dialect import Dialect
from ennio.store.migrations import NEWEST, migrate
from ennio.store.remembered_stops import RememberedStops
from ennio.store.sqlite import MEMORY, Sqlite
from ennio.store.store import Store

PATIENCE = 5.0
DOCUMENTED = frozenset(
    {"id", "project_id", "status", "config_hash", "metadata", "created_at", "last_activity_at"}
)
"""The columns of sessions that every version has, by which a database is known for ours."""


def open_store(
    url: str,
    directory: Path,
    clock: Clock,
    *,
    patience: float = PATIENCE,
    beside: Path | None = None,
) -> Store:
    """Open the database of a ``database_url``, made or migrated as needed;
    relative to ``directory``.

    ``patience`` is how many seconds a lock of another process is waited for, ``beside`` a folder
    for what must be kept while the database cannot be written. Raises Refused (not
    ours, newer, damaged, read-only), Conflict (another supervisor works on it) or Unreachable
    (locked, away) and then leaves the database as it was.
    """
    connection, version = _opened(_whole(url, directory), clock, patience)
    return Store(connection, clock, version, _stops(beside))


@dataclass(frozen=True, slots=True)
class WaitingStore:
    """A store whose server could not be reached yet; ``known`` is what is shown of it meanwhile, to
    be filled from elsewhere.
    """

    store: Store
    known: Store
    server: AbsentServer
    url: str
    clock: Clock

    def join(self) -> None:
        """Open the database, and have the store be one of it from now on.

        Raises what ``open_store`` does; then it waits on, for that reason.
        """
        try:
            connection, version = _opened(self.url, self.clock, PATIENCE)
        except EnnioError as error:
            self.server.why = error
            raise
        self.store.join(connection.dialect, version)
        self.known.close()


def wait_for_server(
    url: str, directory: Path, clock: Clock, why: EnnioError, *, beside: Path | None = None
) -> WaitingStore:
    """The store of a database whose server cannot be reached for this reason; nothing can be
    written in it, and little is known.
    """
    whole = _whole(url, directory)
    connection, version = _opened(database.MEMORY, clock, PATIENCE)
    server = AbsentServer(database.shown(whole), why, clock.now(), connection.read_text)
    store = Store(Connection(server), clock, NEWEST, _stops(beside))
    return WaitingStore(
        store, Store(connection, clock, version, RememberedStops(None)), server, whole, clock
    )


def _stops(beside: Path | None) -> RememberedStops:
    return RememberedStops(None if beside is None else beside / "stops.json")


def _opened(whole: str, clock: Clock, patience: float) -> tuple[Connection, int]:
    connection = Connection(_dialect(whole, patience))
    try:
        version = _bring_up_to_date(connection, clock)
        connection.dialect.ready()
    except BaseException:
        connection.close()
        raise
    return connection, version


def _whole(url: str, directory: Path) -> str:
    """Raises Refused; the url is not repeated, it may hold a password."""
    try:
        return database.resolved(url, directory)
    except ValueError as error:
        raise Refused(f"database_url: {url.partition(':')[0][:20]}:... {error}") from error


def _dialect(whole: str, patience: float) -> Dialect:
    if database.served(whole):
        from ennio.store.postgres import Postgres  # noqa: PLC0415 - whoever has SQLite needs no other driver

        return Postgres(whole).open(patience)
    file = database.file(whole)
    return Sqlite(MEMORY if file is None else str(file), patience)


def _bring_up_to_date(connection: Connection, clock: Clock) -> int:
    """Look and migrate in one transaction: two that open at once take turns, a
    failure leaves nothing behind.
    """
    with connection.transaction():
        version = _usable(connection)
        if version == NEWEST:
            return version
        return migrate(connection.sql, version, connection.dialect.statements, rfc3339(clock.now()))


def look_through(file: Path) -> None:
    """Raise what opening a database's file would: it is damaged, another program's or of a newer
    Ennio. Nothing is changed there.
    """
    with closing(Connection(Sqlite(str(file), PATIENCE, read_only=True))) as connection:
        _usable(connection)


def _usable(connection: Connection) -> int:
    """The step of a database that is whole, ours and no newer than this; raises Refused."""
    connection.check()
    version = _version(connection, connection.dialect.tables())
    if version > NEWEST:
        raise Refused(
            f"the database {connection.name} is of a newer Ennio (schema {version}, this one "
            f"knows {NEWEST}): "
            "update Ennio, or restore a backup made before the update"
        )
    return version


def _version(connection: Connection, tables: Mapping[str, frozenset[str]]) -> int:
    """The step the database is at; 0 for an empty one and for one of v0.1, which
    kept no such record of ours.
    """
    if tables and not tables.get("sessions", frozenset()) >= DOCUMENTED:
        raise Refused(
            f"{connection.name} is the database of another program; name another one in "
            "database_url"
        )
    if "schema_migrations" not in tables:
        return 0
    return int(
        connection.sql("SELECT COALESCE(MAX(version), 0) FROM schema_migrations").fetchone()[0]
    )
