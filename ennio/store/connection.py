"""The way to the database: every statement and transaction of the store goes through here.

A transaction belongs to the greenlet (or thread) that began it; one writes at a time, and the
others wait. With SQLite all share one connection, so nothing may yield between the first and the
last statement of a transaction: no logging, no network, no subprocess. With PostgreSQL the
statements themselves yield, so what is read outside of a transaction has connections of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any

from ennio.model.errors import Unreachable
from ennio.store import statements
from ennio.store.dialect import DatabaseSize, Dialect, InWords, Row
from ennio.store.statements import peewee

_SEQUENCE = peewee.Table("sequence")
_NAME, _VALUE = (peewee.Column(_SEQUENCE, name) for name in ("name", "value"))


class _Own(threading.local):
    """What each greenlet has of its own: how deep it is in a transaction, and
    whether that has failed.
    """

    depth = 0
    failed = False
    guessing = False
    """Whether it was last shown that."""
    content = 0
    """How often it was said that what was last known will do where the database cannot be asked."""


class LastKnown:
    """While it is entered, this greenlet is content with what was last known;
    every request comes by here.
    """

    def __init__(self, own: _Own, since: Callable[[], datetime | None]) -> None:
        self._own = own
        self._away_since = since

    @property
    def since(self) -> datetime | None:
        """Since when the database is away, where what was last known has been read; else None."""
        return self._away_since() if self._own.guessing else None

    def __enter__(self) -> None:
        self._own.content += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._own.content -= 1
        self._own.guessing &= self._own.content > 0


class Connection:
    """A database that is open."""

    def __init__(self, dialect: Dialect) -> None:
        self.lock = threading.RLock()
        self._transaction = _Transaction(self)
        self._own = _Own()
        self._content = LastKnown(self._own, lambda: self.dialect.away_since)
        self._texts: dict[str, str] = {}
        self.rolled_back = 0
        """How often what was written does not stand: what is remembered of it may be gone."""
        self.join(dialect)

    def join(self, dialect: Dialect) -> None:
        """From now on this is the way to that database."""
        with self.lock:
            self.dialect = dialect
            self.rolled_back += 1
            self._in_words = InWords(dialect)
            self._troubles: tuple[type[Exception], ...] = (UnicodeEncodeError, *dialect.errors)

    @property
    def name(self) -> str:
        """What people know the database by."""
        return self.dialect.name

    @property
    def problem(self) -> str | None:
        """Why nothing can be written any more; None while all is well."""
        return self.dialect.problem

    @property
    def guessing(self) -> bool:
        """Whether this greenlet's last look showed what was last known: what is not there may be in
        the database all the same.
        """
        return self._own.guessing

    @property
    def _depth(self) -> int:
        return self._own.depth

    def read(self, query: Any) -> list[Row]:
        """All rows of a query."""
        return self.read_text(*self.text_of(query))

    def read_text(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query that was made into text before."""
        if self._own.depth:  # it has the lock
            return self._rows(statement, parameters)
        if self.dialect.apart:
            return self._read_apart(statement, parameters)
        with self.lock:
            return self._rows(statement, parameters)

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        cursor = self._execute(statement, parameters)
        try:
            found: list[Row] = cursor.fetchall()
        except self.dialect.errors:
            with self._in_words:
                raise
        return found

    def _read_apart(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            with self._in_words:
                return self._read_soundly(statement, parameters)
        except Unreachable:
            if not self._own.content:
                raise
            self._own.guessing = True
            return self.dialect.last_known(statement, parameters)

    def _read_soundly(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            return self.dialect.read(statement, parameters)
        except self._troubles as error:
            return self._soundly(error, self.dialect.read, statement, parameters)  # type: ignore[no-any-return]

    def last_known(self) -> LastKnown:
        """Until its end this greenlet is content with what was last known, where the
        database cannot be asked.
        """
        return self._content

    def text_of(self, query: Any) -> tuple[str, list[Any]]:
        """A query as text and its parameters; the text holds for other
        parameters of the same number too.
        """
        return statements.text_of(query, self.dialect.statements)

    def change(self, query: Any) -> int:
        """Run a statement and return how many rows it touched; its own
        transaction unless one is open.
        """
        return self.change_text(*self.text_of(query))

    def change_text(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run a statement that was made into text before and return how many rows it
        touched, as ``change`` does.
        """
        if self._own.depth:  # it has the lock, and its begin has found that all is well
            return int(self._execute(statement, parameters).rowcount)
        if self.dialect.apart:
            with self._transaction:  # its begin finds out whether there still is a server
                return self.change_text(statement, parameters)
        with self.lock:
            with self._in_words:
                self.dialect.insist()
            return int(self._execute(statement, parameters).rowcount)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add many rows to a table in one go; inside of a transaction."""
        with self.lock, self._in_words:
            self.dialect.load(table, columns, rows)

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement given as text and return its cursor; for migrations."""
        with self.lock, self._in_words:
            return self._execute(statement, parameters)

    def data_version(self) -> object:
        """What is never the same again once a row was written, through this
        connection or by another process.

        Raises RuntimeError inside a transaction: what is rolled back would count as written.
        """
        if self._own.depth:
            raise RuntimeError("there is no data version of what is not committed")
        if self.dialect.apart:
            try:
                with self._in_words:
                    return self.dialect.data_version()
            except Unreachable:
                if not self._own.content:
                    raise
                return object()  # nothing that is shown meanwhile is kept
        with self._in_words:  # and no lock: what another thread has under way only counts as later
            return self.dialect.data_version()

    def bump(self, sequence: str, above: int = 0) -> int:
        """The next number of a sequence, never given before and greater than
        ``above``. Needs a transaction.
        """
        if not self._own.depth:
            raise RuntimeError("a number is only taken inside the transaction that uses it")
        found = [] if above else self.read_text(self._sequence("next"), [sequence])
        if not found:
            found = self.read_text(self._sequence("above"), [sequence, above + 1])
        return int(found[0][0])

    def _sequence(self, kind: str) -> str:
        """The text of a statement that gives a number."""
        if kind not in self._texts:
            self._texts[kind] = self.text_of(_next() if kind == "next" else _next_above())[0]
        return self._texts[kind]

    def transaction(self) -> AbstractContextManager[bool]:
        """All or nothing; gives True to the outermost, which nested ones join.

        What failed inside cannot be saved by catching it half-way: the whole is rolled back.
        """
        return self._transaction

    def enter(self) -> bool:
        """Begin a transaction or join the one there is; tells whether it was begun."""
        own = self._own
        if own.depth:  # it has the lock
            own.depth += 1
            return False
        self.lock.acquire()
        try:
            self._begin()
        except BaseException:
            self.lock.release()
            raise
        own.depth = 1
        return True

    def leave(self, *, failed: bool) -> None:
        """End what ``enter`` began: the outermost commits, or rolls back
        where anything inside failed.
        """
        own = self._own
        own.depth -= 1
        own.failed |= failed
        if own.depth:
            return
        try:
            self._end(caught=not failed)
        finally:
            self.lock.release()

    def check(self) -> None:
        """Raise Refused where the database is damaged."""
        with self.lock, self._in_words:
            self.dialect.check()

    def size(self) -> DatabaseSize:
        """What the database takes."""
        with self.lock, self._in_words:
            return self.dialect.size()

    def settle(self) -> None:
        """Return once every transaction of ours has either happened or not."""
        with self.lock, self._in_words:
            self.dialect.settle()

    def close(self) -> None:
        """Close the database; fine if it is closed."""
        with self.lock:
            self.dialect.close()

    def _begin(self) -> None:
        self._own.failed = False
        self.dialect.insist()
        with self._in_words:
            self.dialect.begin()

    def _end(self, *, caught: bool) -> None:
        if not self._own.failed:
            self._commit()
            return
        self._roll_back()
        if caught:
            raise RuntimeError(
                "a transaction inside this one failed and its error was caught: all was rolled back"
            )

    def _commit(self) -> None:
        try:
            with self._in_words:
                self.dialect.commit()
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        self.rolled_back += 1
        self.dialect.roll_back()

    def _execute(self, statement: str, parameters: Sequence[Any]) -> Any:
        try:
            return self.dialect.execute(statement, parameters)
        except self._troubles as error:
            return self._soundly(error, self.dialect.execute, statement, parameters)

    def _soundly(
        self, error: Exception, run: Any, statement: str, parameters: Sequence[Any]
    ) -> Any:
        """Do again what failed for a text that the database cannot hold; any other
        error is told in words.
        """
        with self._in_words:
            if not self.dialect.unsound(error):
                raise error
            return run(statement, [self._sound(parameter) for parameter in parameters])

    def _sound(self, parameter: Any) -> Any:
        return self.dialect.sound(parameter) if isinstance(parameter, str) else parameter


def _next() -> Any:
    """One more than the last number of a sequence; none where there was none."""
    return _SEQUENCE.update({_VALUE: _VALUE + peewee.SQL("1")}).where(_NAME == "").returning(_VALUE)


def _next_above() -> Any:
    """The same, and at least so much; also the first of a sequence."""
    greater = peewee.SQL(
        "CASE WHEN excluded.value > sequence.value THEN excluded.value ELSE sequence.value + 1 END"
    )
    insert = _SEQUENCE.insert([("", 0)], columns=[_NAME, _VALUE])
    return insert.on_conflict(conflict_target=[_NAME], update={_VALUE: greater}).returning(_VALUE)


class _Transaction:
    """A connection's transaction as a context; nothing is kept in it, so the
    nested ones are the same.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> bool:
        return self._connection.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.leave(failed=kind is not None)
