"""A query that is asked again and again in the same words: making its text takes longer than
running it, so that is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ennio.store.connection import Connection
from ennio.store.dialect import Row


class KeptQuery:
    """``query`` gives it as peewee has it, the first time that it is asked. A value in it that is
    another one each time stands there under a name of its own.
    """

    def __init__(self, connection: Connection, query: Callable[[], Any]) -> None:
        self._connection = connection
        self._query = query
        self._text = ""
        self._values: Sequence[Any] = ()

    def read(self, **given: str) -> list[Row]:
        """All its rows, with these values in place of their names."""
        if not self._text:
            self._text, self._values = self._connection.text_of(self._query())
        return self._connection.read_text(
            self._text, [given.get(value, value) for value in self._values]
        )
