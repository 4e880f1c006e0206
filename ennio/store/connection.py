"""The one connection to the database: every statement and transaction of the store goes through here.

Greenlets share it, so nothing may yield between the first and the last statement of a
transaction: no logging, no network, no subprocess. The lock makes a breach of that rule (and real
threads) wait instead of mixing two transactions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import peewee

from ennio.store.failures import in_words

Row = tuple[Any, ...]
_SEQUENCE = peewee.Table("sequence")
_NAME, _VALUE = (peewee.Column(_SEQUENCE, name) for name in ("name", "value"))


class Connection:
    """A database that is open. ``name`` is what people know it by: its file."""

    def __init__(self, database: Any, name: str) -> None:
        self._database = database
        self.name = name
        self.lock = threading.RLock()
        self._depth = 0
        self._failed = False
        self._texts: dict[str, str] = {}

    def read(self, query: Any) -> list[Row]:
        """All rows of a query."""
        with self.lock, in_words(self.name):
            return list(self._run(query).fetchall())

    def read_text(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query that was made into text before."""
        with self.lock, in_words(self.name):
            return list(self._execute(statement, parameters).fetchall())

    def text_of(self, query: Any) -> tuple[str, list[Any]]:
        """A query as text and its parameters; the text holds for other parameters of the same number too."""
        statement, parameters = self._database.get_sql_context().sql(query).query()
        return statement, list(parameters)

    def change(self, query: Any) -> int:
        """Run a statement and return how many rows it touched; its own transaction unless one is open."""
        with self.lock, in_words(self.name):
            return int(self._run(query).rowcount)

    def change_text(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run a statement that was made into text before and return how many rows it touched, as ``change`` does."""
        with self.lock, in_words(self.name):
            return int(self._execute(statement, parameters).rowcount)

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement given as text and return its cursor; for pragmas and migrations."""
        with self.lock, in_words(self.name):
            return self._database.execute_sql(statement, parameters)

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

    @contextmanager
    def transaction(self) -> Iterator[bool]:
        """All or nothing; yields True for the outermost, which nested ones join.

        What failed inside cannot be saved by catching it half-way: the whole is rolled back.
        """
        with self.lock:
            outermost = self._depth == 0
            if outermost:
                self._begin()
            self._depth += 1
            try:
                yield outermost
            except BaseException:
                self._failed = True
                raise
            finally:
                self._depth -= 1
                if outermost and self._failed:
                    self._roll_back()
            if outermost:
                self._commit()

    def close(self) -> None:
        """Close the database; fine if it is closed."""
        with self.lock:
            self._database.close()

    def _begin(self) -> None:
        self._failed = False
        with in_words(self.name):
            self._database.begin("IMMEDIATE")

    def _commit(self) -> None:
        if self._failed:
            raise RuntimeError("a transaction inside this one failed and its error was caught: all was rolled back")
        try:
            with in_words(self.name):
                self._database.commit()
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
        try:
            return self._database.execute_sql(statement, parameters)
        except UnicodeEncodeError:
            return self._database.execute_sql(statement, [_sound(parameter) for parameter in parameters])


def _sound(parameter: Any) -> Any:
    """Text a database can hold: what a terminal printed may contain halves of characters."""
    return parameter.encode("utf-8", "replace").decode() if isinstance(parameter, str) else parameter
