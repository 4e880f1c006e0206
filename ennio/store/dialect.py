"""What of the store depends on the database: how a transaction begins and ends, what an error
means, what was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

from ennio.model.errors import EnnioError

Row = tuple[Any, ...]
_AWAY, _WAITING = "the database is away since ", ", waiting: "


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """Bytes on the disk, and how many of them hold something (None: that is not known)."""

    total: int
    used: int | None


class Dialect(Protocol):
    """One open database. What it raises are errors of its driver (``errors``), or of ours."""

    name: str
    """What people know it by: its file, or its address without the password."""
    statements: Any
    """The one of ``ennio.store.statements`` in whose words it is spoken to."""
    errors: tuple[type[Exception], ...]
    """What its driver raises."""
    retry_after: float
    """Seconds between two tries of whoever could not go on without it."""
    apart: bool
    """Whether what is read outside of a transaction has a connection of its own,
    and need not wait for one.
    """

    @property
    def problem(self) -> str | None:
        """Why nothing can be written just now and how it goes on; None while all is well."""

    @property
    def away_since(self) -> datetime | None:
        """Since when its server cannot be asked; None while it can, and where there is none."""

    def insist(self) -> None:
        """Raise Gone where nothing can be written; asked before each transaction."""

    def begin(self) -> None:
        """Begin a transaction; no other writes until it ends."""

    def commit(self) -> None:
        """End it for good."""

    def roll_back(self) -> None:
        """End it as if it had never been; fine where the database has done so by itself."""

    def settle(self) -> None:
        """Return once every transaction of ours has either happened or not."""

    def execute(self, statement: str, parameters: Sequence[Any]) -> Any:
        """Run a statement, inside of the transaction if there is one; gives the driver's cursor,
        which is asked before the next statement.
        """

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add many rows to a table in one go, inside of the transaction."""

    def read(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """What was committed, read outside of any transaction; only asked
        where that is ``apart``.
        """

    def last_known(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """What was last known of what people look at, where it cannot be read just now; only asked
        where that is ``apart``.
        """

    def data_version(self) -> object:
        """What is never the same again once anything was written, by whomever.
        Not inside a transaction.
        """

    def unsound(self, error: BaseException) -> bool:
        """Whether a text cannot be held, which is said before anything is sent."""

    def sound(self, text: str) -> str:
        """A text that it can hold instead of one that it cannot."""

    def explain(self, error: BaseException) -> EnnioError | None:
        """An error of the driver for whoever can act on it; None where
        it is the program's fault.
        """

    def breaks_reference(self, error: BaseException) -> bool:
        """Whether a row named another row that is not there."""

    def check(self) -> None:
        """Raise an error of the driver where the database is damaged."""

    def tables(self) -> Mapping[str, frozenset[str]]:
        """The columns of every table there is."""

    def size(self) -> DatabaseSize:
        """What it takes."""

    def ready(self) -> None:
        """The database is known to be ours, and is at work from now on."""

    def close(self) -> None:
        """Close it; fine if it is closed."""


def since(at: datetime, why: str) -> str:
    """What is said of a server that cannot be asked, everywhere alike."""
    return (
        f"{_AWAY}{at:%Y-%m-%d %H:%M:%S} "
        f"UTC{_WAITING}{why.partition(_WAITING)[2] if why.startswith(_AWAY) else why}"
    )


class InWords:
    """Turns what the database is to blame for into an EnnioError; bugs stay what they are."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __enter__(self) -> None:
        """Nothing is kept: one may be entered again, also while it is."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(error, self._dialect.errors):
            explained = self._dialect.explain(error)
            if explained is not None:
                raise explained from error
