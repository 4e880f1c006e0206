"""PostgreSQL, through psycopg 3; whoever waits for the server lets others run.

One connection writes. It holds the lock of the database (an advisory lock, one for each schema), so
there is no write without it, and who has lost the server writes again only with the lock. What is
read outside of a transaction has connections of its own.
"""

from __future__ import annotations

import importlib
import os
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ennio.config import database
from ennio.machine.installation import adding
from ennio.model.errors import Away, Conflict, EnnioError, Exhausted, Gone, Refused, Unreachable
from ennio.store.dialect import DatabaseSize, InWords, Row, since
from ennio.store.mirror import Mirror
from ennio.store.postgres_server import Server
from ennio.store.sqlite import grouped
from ennio.store.statements import POSTGRES

OLDEST = 130000  # the first that tells which transactions can be seen
_PATIENCE = 2.0  # seconds for which the lock is waited for once we have had it
_PAUSE = 0.1
_LOCK = 0x656E6E69
_KEY = f"{_LOCK}, hashtext(coalesce(current_schema()::text, ''))"
_HOLDER = f"""
SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'the machine of the database')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = {_LOCK}
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.objid = (hashtext(current_schema()::text)::bigint & 4294967295)::oid
"""  # noqa: S608 - a number of ours
_SIZE = "SELECT pg_database_size(current_database())"
_TABLES = """
SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class
WHERE relnamespace = to_regnamespace(current_schema()) AND relkind = 'r'
"""
_SAMPLED = 1000
"""Blocks of a table at which is looked, at most: enough for a few in a hundred."""
_SETTINGS = (
    "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), "
    "current_schema()"
)
_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
"""  # noqa: E501

# by the beginning of PostgreSQL's error code: who can act, and the words
_WORDS: Mapping[str, tuple[type[EnnioError], str]] = {
    "28": (
        Refused,
        (
            "the database {name} refuses the user ({error}): give the right one in database_url, "
            "and "
            "its password in ~/.pgpass"
        ),
    ),
    "3D": (
        Refused,
        (
            "{name} does not exist on its server ({error}): make it with createdb, or name "
            "another in "
            "database_url"
        ),
    ),
    "3F": (
        Refused,
        (
            "the schema of {name} is not there ({error}): make it with CREATE SCHEMA, or name "
            "another "
            "in database_url"
        ),
    ),
    "42501": (
        Refused,
        "{name} does not let this user work in it ({error}): make the user its owner",
    ),
    "53": (Exhausted, "the server of {name} has run out of something ({error}); it is tried again"),
    "58": (
        Unreachable,
        "the server of {name} could not read or write its files ({error}): look at its disk",
    ),
    "XX": (Refused, "the database {name} is damaged ({error}): restore a backup"),
    "25006": (
        Unreachable,
        "the database {name} can only be read just now ({error}); it is tried again",
    ),
    "40": (
        Unreachable,
        "the database {name} broke off what was asked ({error}); it is tried again",
    ),
    "55": (
        Unreachable,
        "the database {name} is locked by somebody else ({error}); it is tried again",
    ),
    "57": (Away, "the server of {name} ends or begins just now ({error}); it is tried again"),
    "08": (
        Away,
        (
            "the server of {name} does not answer ({error}): nothing is written until it does, and "
            "agents go on"
        ),
    ),
}
_AWAY = "08"


class Postgres:
    """A database of a server; a ``Dialect``."""

    statements = POSTGRES
    retry_after = 5.0
    apart = True

    def __init__(self, url: str) -> None:
        """Nothing is asked of it yet. Raises Refused: no driver, or an address that is none."""
        self._psycopg = _driver()
        self.errors: tuple[type[Exception], ...] = (self._psycopg.Error,)
        self.name = database.shown(url)
        self._server = Server(self._psycopg, url, f"ennio {platform.node()} pid {os.getpid()}")
        self._writer: Any = None
        self._cursor: Any = None
        self._backend = 0
        self._taken: str | None = None
        self._mirror: Mirror | None = None

    def open(self, patience: float) -> Postgres:
        """Take its lock, for which ``patience`` seconds are waited. Raises
        Refused, Unreachable, Conflict.
        """
        with InWords(self):
            self._begin_to_write(patience)
        return self

    def version(self) -> str:
        """What the server is, for people; nothing is changed, and no lock is taken.
        Raises Refused, Unreachable.
        """
        with InWords(self):
            return str(self._server.read("SHOW server_version", ())[0][0])

    @property
    def problem(self) -> str | None:
        """See ``Dialect.problem``."""
        away = self._server.away
        return self._taken or (None if away is None else str(self.explain(away)))

    @property
    def away_since(self) -> datetime | None:
        """See ``Dialect.away_since``."""
        return self._server.away_since

    def insist(self) -> None:
        """See ``Dialect.insist``: to begin a transaction finds it out."""

    def begin(self) -> None:
        """See ``Dialect.begin``. What was lost since the last one is made anew."""
        try:
            self._run("BEGIN")
        except self._psycopg.Error as error:
            self._lose(error)
            if not self._server.passes(error):
                raise
            self._run("BEGIN")

    def commit(self) -> None:
        """See ``Dialect.commit``. Raises RuntimeError where a statement had
        failed and nobody said so.
        """
        done = self._run("COMMIT").statusmessage
        if done != "COMMIT":
            raise RuntimeError(
                "a statement of this transaction failed and its error was caught: all was rolled "
                "back"
            )
        if self._mirror is not None:
            self._mirror.done()

    def roll_back(self) -> None:
        """See ``Dialect.roll_back``."""
        if self._mirror is not None:
            self._mirror.undone()
        if self._writer is None:
            return
        try:
            if self._server.in_transaction(self._writer):
                self._writer.execute("ROLLBACK")
        except self._psycopg.Error as error:
            self._lose(error)
        if not self._server.at_rest(self._writer):
            self._drop()

    def settle(self) -> None:
        """See ``Dialect.settle``: who has the lock again knows that what
        was under way has ended.
        """
        self.begin()
        self.roll_back()

    def execute(self, statement: str, parameters: Sequence[Any]) -> Any:
        """See ``Dialect.execute``."""
        cursor = self._run(statement, parameters)
        if self._mirror is not None:
            self._mirror.note(statement, parameters)
        return cursor

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See ``Dialect.load``."""
        with (
            self._writing().cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def read(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """See ``Dialect.read``."""
        return self._server.read(statement, parameters)

    def last_known(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """See ``Dialect.last_known``."""
        return [] if self._mirror is None else self._mirror.read(statement, parameters)

    def data_version(self) -> object:
        """See ``Dialect.data_version``: which transactions can be seen, as
        the server itself puts it.
        """
        return self._server.read("SELECT pg_current_snapshot()::text", ())[0][0]

    def unsound(self, error: BaseException) -> bool:
        """See ``Dialect.unsound``: halves of characters, and the character of number 0."""
        return isinstance(error, UnicodeEncodeError) or (
            isinstance(error, self._psycopg.DataError) and error.sqlstate is None
        )

    def sound(self, text: str) -> str:
        """See ``Dialect.sound``."""
        return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")

    def explain(self, error: BaseException) -> EnnioError | None:
        """See ``Dialect.explain``."""
        code = self._code(error)
        for begin, (kind, words) in _WORDS.items():
            if code.startswith(begin):
                text = words.format(name=self.name, error=self._server.said(error))
                gone = self._server.away_since if kind is Away else None
                return kind(text if gone is None else since(gone, text))
        return None

    def breaks_reference(self, error: BaseException) -> bool:
        """See ``Dialect.breaks_reference``."""
        return isinstance(error, self._psycopg.errors.ForeignKeyViolation)

    def check(self) -> None:
        """See ``Dialect.check``: that the server is one that will do. Raises Refused."""
        version, encoding, schema = self._writing().execute(_SETTINGS).fetchone()
        if version < OLDEST:
            raise Refused(
                f"the server of {self.name} is PostgreSQL {version // 10000}: {OLDEST // 10000} "
                "or newer is needed"
            )
        if encoding != "UTF8":
            raise Refused(
                f"{self.name} keeps texts as {encoding}, which cannot hold all of them: make it "
                "with createdb --encoding=UTF8"
            )
        if schema is None:
            raise Refused(
                f"the schema of {self.name} is not there: make it with CREATE SCHEMA, or name "
                "another in database_url"
            )

    def tables(self) -> Mapping[str, frozenset[str]]:
        """See ``Dialect.tables``."""
        return grouped(self._writing().execute(_COLUMNS).fetchall())

    def size(self) -> DatabaseSize:
        """See ``Dialect.size``. In use is what the rows take: of a large table that is reckoned
        from some of its blocks, since what a row leaves is given back later, or never.
        """
        tables = ((str(name), int(many)) for name, many in self.read(_TABLES, ()))
        rows = " UNION ALL ".join(_sampled(*table) for table in tables)
        used = self.read(f"SELECT sum(bytes) FROM ({rows}) AS tables", ())[0][0]  # noqa: S608
        return DatabaseSize(int(self.read(_SIZE, ())[0][0]), int(used or 0))

    def ready(self) -> None:
        """See ``Dialect.ready``."""
        self._mirror = Mirror()
        self._know(self._writing())

    def _know(self, connection: Any) -> None:
        if self._mirror is not None:
            self._mirror.fill(lambda query: connection.execute(query).fetchall())

    def close(self) -> None:
        """See ``Dialect.close``."""
        self._drop()
        self._server.close()

    def _code(self, error: BaseException) -> str:
        return self._server.code(error) or (_AWAY if self._server.passes(error) else "")

    def _writing(self) -> Any:
        """The connection that writes, made anew where it was lost; inside a transaction
        what is lost stays lost.
        """
        if self._writer is None:
            self._begin_to_write(_PATIENCE)
        return self._writer

    def _begin_to_write(self, patience: float) -> None:
        self._writer = self._holding(self._server.connect(), patience)
        self._cursor = self._writer.cursor()

    def _run(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:
        """Run a statement where it is written. The cursor is one for all, since to make one takes
        a good part of what a statement does; what it tells is asked before the next.
        """
        self._writing()
        return self._cursor.execute(statement, parameters)

    def _holding(self, connection: Any, patience: float) -> Any:
        """Take the lock of the database for this connection. Raises Conflict at first, and later
        Gone, saying who has it.
        """
        until = time.monotonic() + patience
        while not connection.execute(f"SELECT pg_try_advisory_lock({_KEY})").fetchone()[0]:
            holder = connection.execute(_HOLDER).fetchone()
            if (
                holder is not None and holder[0] == self._backend
            ):  # ours, of which the server has not yet heard that it is lost
                connection.execute("SELECT pg_terminate_backend(%s)", (self._backend,))
            if time.monotonic() > until:
                connection.close()
                raise self._held(holder)
            time.sleep(_PAUSE)
        self._backend, self._taken = connection.info.backend_pid, None
        self._know(connection)
        return connection

    def _held(self, holder: Row | None) -> EnnioError:
        who = f"{holder[1]}, at {holder[2]}" if holder is not None else "an unknown process"
        if not self._backend:
            return Conflict(
                f"another supervisor works on {self.name} already: {who}; `ennio stop` ends it "
                "there"
            )
        self._taken = (
            f"another supervisor took over {self.name}: {who}; nothing is written by this one: "
            "end one of them by ennio stop"
        )
        return Gone(self._taken)

    def _lose(self, error: BaseException) -> None:
        if self._writer is None or self._server.at_rest(self._writer):
            return
        self._drop()
        if self._server.passes(error):
            self._server.lost(error)

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _driver() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise Refused(
            f"database_url names PostgreSQL, whose driver psycopg is not installed ({error}); "
            f"this installs it: {adding('postgres')}"
        ) from error


def _sampled(table: str, blocks: int) -> str:
    """The query for the bytes of a table's rows."""
    share = min(100.0, 100.0 * _SAMPLED / max(1, blocks))
    return (
        f'SELECT sum(pg_column_size("{table}".*)) * {100.0 / share!r} AS bytes '  # noqa: S608 - our own names
        f'FROM "{table}" TABLESAMPLE SYSTEM ({share!r})'
    )
