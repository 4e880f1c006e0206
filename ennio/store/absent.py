"""The database of a server that has not answered yet, and that is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from ennio.model.errors import Away, EnnioError
from ennio.store.dialect import Row, since
from ennio.store.statements import POSTGRES, SQLITE

Reading = Callable[[str, Sequence[Any]], list[Row]]


class AbsentServer:
    """A ``Dialect`` of which nothing can be had but what is known from elsewhere; ``known`` reads
    that, in SQLite's words.
    """

    statements = POSTGRES
    errors: tuple[type[Exception], ...] = ()
    retry_after = 5.0
    apart = True

    def __init__(self, name: str, why: EnnioError, at: datetime, known: Reading) -> None:
        self.name = name
        self.why = why
        self.away_since = at
        self._known = known

    @property
    def problem(self) -> str:
        """See ``Dialect.problem``."""
        return since(self.away_since, str(self.why))

    def _refuse(self, *_asked: object) -> NoReturn:
        raise Away(self.problem)

    insist = begin = commit = settle = ready = check = _refuse
    execute = load = read = data_version = tables = size = _refuse

    def roll_back(self) -> None:
        """See ``Dialect.roll_back``: nothing was begun."""

    def last_known(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """See ``Dialect.last_known``."""
        return self._known(statement.replace(POSTGRES.param, SQLITE.param), parameters)

    def unsound(self, _error: BaseException) -> bool:
        """See ``Dialect.unsound``."""
        return False

    def sound(self, text: str) -> str:
        """See ``Dialect.sound``."""
        return text

    def explain(self, _error: BaseException) -> EnnioError | None:
        """See ``Dialect.explain``."""
        return None

    def breaks_reference(self, _error: BaseException) -> bool:
        """See ``Dialect.breaks_reference``."""
        return False

    def close(self) -> None:
        """See ``Dialect.close``."""
