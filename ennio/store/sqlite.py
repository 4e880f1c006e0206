"""SQLite: a file, or memory. One connection for all, so nothing may yield
inside of a transaction.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ennio.model.errors import EnnioError, Exhausted, Refused, Unreachable
from ennio.store.database_file import DatabaseFile
from ennio.store.database_header import MAGIC, log_of, refuse_foreign_log
from ennio.store.dialect import DatabaseSize, InWords, Row
from ennio.store.statements import SQLITE

MEMORY = ":memory:"
_STATEMENTS = 512
"""So many are kept ready to be run: a supervisor asks and changes in about a hundred forms, and in
more where budgets, reviews and retention are at work.
"""
OLDEST = (3, 35)  # the first that gives back what a statement changed

# by the primary part of SQLite's error name: who can act, and the words
_WORDS: Mapping[str, tuple[type[EnnioError], str]] = {
    "SQLITE_BUSY": (
        Unreachable,
        "the database {name} is locked by another process; try again when that is done with it",
    ),
    "SQLITE_LOCKED": (
        Unreachable,
        "the database {name} is locked by another process; try again when that is done with it",
    ),
    "SQLITE_FULL": (
        Exhausted,
        "there is no space left for the database {name}: free some on its disk",
    ),
    "SQLITE_IOERR": (
        Unreachable,
        "the database {name} could not be read or written ({error}): look at its disk",
    ),
    "SQLITE_NOMEM": (
        Exhausted,
        "there is no memory left for the database {name}: end some programs",
    ),
    "SQLITE_READONLY": (
        Refused,
        "the database {name} cannot be written: give its file and its folder write permission",
    ),
    "SQLITE_PERM": (
        Refused,
        (
            "the database {name} may not be used: give its file and its folder read and write "
            "permission"
        ),
    ),
    "SQLITE_CANTOPEN": (
        Refused,
        "the database {name} cannot be opened: look whether its folder exists and may be written",
    ),
    "SQLITE_NOTADB": (
        Refused,
        (
            "{name} is not an SQLite database; name another file in database_url, or move this one "
            "away"
        ),
    ),
    "SQLITE_CORRUPT": (
        Refused,
        (
            "the database {name} is damaged ({error}): restore a backup, or save what is left with "
            "`sqlite3 {name} .dump | sed 's/^ROLLBACK;.*/COMMIT;/' | sqlite3 {name}.recovered` and "
            "name that in database_url"
        ),
    ),
}


class Sqlite:
    """The database in a file, or in memory; a ``Dialect``."""

    statements = SQLITE
    errors: tuple[type[Exception], ...] = (sqlite3.DatabaseError,)
    retry_after = 30.0  # a person has to put the file back
    apart = False

    def __init__(self, location: str, patience: float, *, read_only: bool = False) -> None:
        """Open it; ``patience`` is how many seconds a lock of another process is
        waited for; ``read_only``: a file that is there, which stays as it is. Raises Refused.
        """
        if sqlite3.sqlite_version_info < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise Refused(
                f"SQLite {sqlite3.sqlite_version} of this Python is too old: {wanted} or newer is "
                "needed; use a newer Python"
            )
        self.name = location
        self._file: DatabaseFile | None = None
        self._abandoned = self._closed = False
        if location != MEMORY:
            _look_at(Path(location), os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT)
            refuse_foreign_log(Path(location))
        with InWords(self):
            # one connection for all greenlets, and transactions begin and end where we say so
            self._driver = sqlite3.connect(
                _read_only(Path(location)) if read_only else location,
                timeout=patience,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
                uri=read_only,
            )

    def execute(self, statement: str, parameters: Sequence[Any]) -> Any:
        """See ``Dialect.execute``."""
        return self._driver.execute(statement, parameters)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See ``Dialect.load``."""
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        self._driver.executemany(statement, rows)

    @property
    def problem(self) -> str | None:
        """See ``Dialect.problem``."""
        return self._file.problem if self._file is not None else None

    @property
    def away_since(self) -> None:
        """See ``Dialect.away_since``: a file is no server."""

    def insist(self) -> None:
        """See ``Dialect.insist``: the file is still the one that was opened."""
        if self._file is not None:
            self._file.insist()

    def begin(self) -> None:
        """See ``Dialect.begin``."""
        self._driver.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """See ``Dialect.commit``."""
        self._driver.execute("COMMIT")

    def roll_back(self) -> None:
        """See ``Dialect.roll_back``."""
        # a full disk makes SQLite roll back by itself; then there is nothing left to undo
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def settle(self) -> None:
        """See ``Dialect.settle``: a statement that returned has happened or not."""

    def read(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """See ``Dialect.read``."""
        return list(self._driver.execute(statement, parameters))

    def last_known(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """See ``Dialect.last_known``."""
        return self.read(statement, parameters)

    def data_version(self) -> tuple[int, int]:
        """See ``Dialect.data_version``: SQLite counts the rows changed here,
        and the commits of others.
        """
        return self._driver.total_changes, self._driver.execute("PRAGMA data_version").fetchone()[0]

    def unsound(self, error: BaseException) -> bool:
        """See ``Dialect.unsound``."""
        return isinstance(error, UnicodeEncodeError)

    def sound(self, text: str) -> str:
        """See ``Dialect.sound``: what a terminal printed may contain halves of characters."""
        return text.encode("utf-8", "replace").decode()

    def explain(self, error: BaseException) -> EnnioError | None:
        """See ``Dialect.explain``."""
        if self._closed and isinstance(error, sqlite3.ProgrammingError):
            # a request under way while its process ends: what it met is no fault of Ennio's
            return Unreachable(f"{self.name} is a closed database: its supervisor is stopping")
        code = _code(error)
        for primary, (kind, words) in _WORDS.items():
            if code == primary or code.startswith(primary + "_"):
                return kind(words.format(name=self.name, error=error))
        return None

    def breaks_reference(self, error: BaseException) -> bool:
        """See ``Dialect.breaks_reference``."""
        return _code(error) == "SQLITE_CONSTRAINT_FOREIGNKEY"

    def check(self) -> None:
        """See ``Dialect.check``."""
        found = self._driver.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            error = sqlite3.DatabaseError(found)
            error.sqlite_errorname = "SQLITE_CORRUPT"
            raise error

    def tables(self) -> Mapping[str, frozenset[str]]:
        """See ``Dialect.tables``."""
        columns = (
            "SELECT tables.name, columns.name FROM sqlite_master AS tables JOIN "
            "pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
        return grouped(self._driver.execute(columns).fetchall())

    def size(self) -> DatabaseSize:
        """See ``Dialect.size``: pages that rows have left are used again and never given back."""
        names = ("page_size", "page_count", "freelist_count")
        size, count, free = (
            int(self._driver.execute(f"PRAGMA {name}").fetchone()[0]) for name in names
        )
        return DatabaseSize(count * size, (count - free) * size)

    def ready(self) -> None:
        """See ``Dialect.ready``: a log written ahead, and keys that are checked."""
        # not before the database is known to be ours: it changes the file
        for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
            self._driver.execute(f"PRAGMA {pragma}")
        if self.name != MEMORY:
            self._file = DatabaseFile(Path(self.name), lambda: self._driver)

    def close(self) -> None:
        """See ``Dialect.close``; what was copied over the file stays as it is."""
        self._closed = True
        file, self._file = self._file, None
        if file is not None and file.overwritten:
            self._abandoned = True
            # who closes a database brings its log into the file, and so does whoever forgets it
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._driver))
        if not self._abandoned:
            self._driver.close()
        if file is not None:
            file.close()


def grouped(found: Sequence[Row]) -> Mapping[str, frozenset[str]]:
    """Pairs of table and column, by table."""
    tables: dict[str, set[str]] = {}
    for table, column in found:
        tables.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in tables.items()}


def _code(error: BaseException) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def _read_only(file: Path) -> str:
    """The address to read a file by. Without a log beside it none is made: the file is all."""
    log = log_of(file)
    whole = not log.exists() or not log.stat().st_size
    return f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if whole else ''}"


def _look_at(file: Path, flags: int) -> None:
    """Make an empty file only its owner can read, or see that the one there may be a
    database. An empty one is new.
    """
    try:
        os.close(os.open(file, flags | os.O_CLOEXEC, 0o600))
        with file.open("rb") as stream:
            header = stream.read(len(MAGIC))
    except OSError as error:
        raise Refused(
            f"the database {file} cannot be opened: {error.strerror}; look at its folder and its "
            "permissions"
        ) from error
    if header and header != MAGIC:
        raise Refused(
            f"{file} is not an SQLite database; name another file in database_url, or move this "
            "one away"
        )
