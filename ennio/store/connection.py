"""The one connection to the database: every statement and transaction of the store goes through here.

Greenlets share it, so nothing may yield between the first and the last statement of a
transaction: no logging, no network, no subprocess. The lock makes a breach of that rule (and real
threads) wait instead of mixing two transactions.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import peewee

from ennio.store.database_file import DatabaseFile
from ennio.store.failures import InWords

Row = tuple[Any, ...]
_SEQUENCE = peewee.Table("sequence")
_NAME, _VALUE = (peewee.Column(_SEQUENCE, name) for name in ("name", "value"))


class Connection:
    """A database that is open. ``name`` is what people know it by: its file."""

    def __init__(self, database: Any, name: str) -> None:
        self._database = database
        self.name = name
        self.lock = threading.RLock()
        self._in_words = InWords(name)
        self._transaction = _Transaction(self)
        self._depth = 0
        self._failed = False
        self._texts: dict[str, str] = {}
        self._file: DatabaseFile | None = None

    def watch(self) -> None:
        """From now on look before each write whether the file is still the one that was opened."""
        self._file = DatabaseFile(Path(self.name), self._database.connection)

    @property
    def problem(self) -> str | None:
        """Why nothing can be written any more; None while all is well."""
        return self._file.problem if self._file is not None else None

    def _insist(self) -> None:
        if self._file is not None and not self._depth:
            self._file.insist()

    def read(self, query: Any) -> list[Row]:
        """All rows of a query."""
        with self.lock, self._in_words:
            return list(self._run(query).fetchall())

    def read_text(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query that was made into text before."""
        with self.lock, self._in_words:
            return list(self._execute(statement, parameters).fetchall())

    def text_of(self, query: Any) -> tuple[str, list[Any]]:
        """A query as text and its parameters; the text holds for other parameters of the same number too."""
        statement, parameters = self._database.get_sql_context().sql(query).query()
        return statement, list(parameters)

    def change(self, query: Any) -> int:
        """Run a statement and return how many rows it touched; its own transaction unless one is open."""
        with self.lock, self._in_words:
            self._insist()
            return int(self._run(query).rowcount)

    def change_text(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run a statement that was made into text before and return how many rows it touched, as ``change`` does."""
        with self.lock, self._in_words:
            self._insist()
            return int(self._execute(statement, parameters).rowcount)

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement given as text and return its cursor; for pragmas and migrations."""
        with self.lock, self._in_words:
            return self._execute(statement, parameters)

    def data_version(self) -> tuple[int, int]:
        """What is never the same again once a row was written, through this connection or by another process.

        Raises RuntimeError inside a transaction: what is rolled back would count as written.
        """
        with self.lock, self._in_words:
            if self._depth:
                raise RuntimeError("there is no data version of what is not committed")
            cursor = self._execute("PRAGMA data_version", ())
            return cursor.connection.total_changes, cursor.fetchone()[0]

    def bump(self, sequence: str, above: int = 0) -> int:
        """The next number of a sequence, never given before and greater than ``above``. Needs a transaction."""
        if not self._depth:
            raise RuntimeError("a number is only taken inside the transaction that uses it")
        found = self.read_text(self._sequence("select"), [sequence])
        value = max(found[0][0] if found else 0, above) + 1
        self.change_text(self._sequence("update" if found else "insert"), [value, sequence])
        return int(value)

    def _sequence(self, kind: str) -> str:
        """The text of a query of the numbers; value before name."""
        if kind not in self._texts:
            this = _NAME == ""  # a condition of SQL
            queries = {
                "select": _SEQUENCE.select(_VALUE).where(this),
                "update": _SEQUENCE.update({_VALUE: 0}).where(this),
                "insert": _SEQUENCE.insert([(0, "")], columns=[_VALUE, _NAME]),
            }
            self._texts[kind] = self.text_of(queries[kind])[0]
        return self._texts[kind]

    def transaction(self) -> AbstractContextManager[bool]:
        """All or nothing; gives True to the outermost, which nested ones join.

        What failed inside cannot be saved by catching it half-way: the whole is rolled back.
        """
        return self._transaction

    def enter(self) -> bool:
        """Begin a transaction or join the one there is; tells whether it was begun."""
        self.lock.acquire()
        try:
            if not self._depth:
                self._begin()
        except BaseException:
            self.lock.release()
            raise
        self._depth += 1
        return self._depth == 1

    def leave(self, *, failed: bool) -> None:
        """End what ``enter`` began: the outermost commits, or rolls back where anything inside failed."""
        try:
            self._depth -= 1
            self._failed |= failed
            if not self._depth:
                self._end(caught=not failed)
        finally:
            self.lock.release()

    def close(self) -> None:
        """Close the database; fine if it is closed."""
        with self.lock:
            self._database.close()

    def _begin(self) -> None:
        self._failed = False
        self._insist()
        with self._in_words:
            self._execute("BEGIN IMMEDIATE", ())

    def _end(self, *, caught: bool) -> None:
        if not self._failed:
            self._commit()
            return
        self._roll_back()
        if caught:
            raise RuntimeError("a transaction inside this one failed and its error was caught: all was rolled back")

    def _commit(self) -> None:
        try:
            with self._in_words:
                self._execute("COMMIT", ())
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # a full disk makes SQLite roll back by itself; then there is nothing left to undo
        if self._database.connection().in_transaction:
            self._database.rollback()

    def _run(self, query: Any) -> Any:
        return self._execute(*self.text_of(query))

    def _execute(self, statement: str, parameters: Sequence[Any]) -> Any:
        # the driver's own: peewee's way around it takes as long as the shorter statements
        cursor = self._database.cursor()
        try:
            return cursor.execute(statement, parameters)
        except UnicodeEncodeError:
            return cursor.execute(statement, [_sound(parameter) for parameter in parameters])


class _Transaction:
    """A connection's transaction as a context; nothing is kept in it, so the nested ones are the same."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> bool:
        return self._connection.enter()

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._connection.leave(failed=kind is not None)


def _sound(parameter: Any) -> Any:
    """Text a database can hold: what a terminal printed may contain halves of characters."""
    return parameter.encode("utf-8", "replace").decode() if isinstance(parameter, str) else parameter
