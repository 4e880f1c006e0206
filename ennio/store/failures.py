"""What SQLite says when it cannot, in words for who can act on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from types import TracebackType

import peewee

from ennio.model.errors import EnnioError, Exhausted, Refused, Unreachable

# by the primary part of SQLite's error name: who can act, and the words
_WORDS: Mapping[str, tuple[type[EnnioError], str]] = {
    "SQLITE_BUSY": (Unreachable, "the database {name} is locked by another process; try again when that is done with it"),
    "SQLITE_LOCKED": (Unreachable, "the database {name} is locked by another process; try again when that is done with it"),
    "SQLITE_FULL": (Exhausted, "there is no space left for the database {name}: free some on its disk"),
    "SQLITE_IOERR": (Unreachable, "the database {name} could not be read or written ({error}): look at its disk"),
    "SQLITE_NOMEM": (Exhausted, "there is no memory left for the database {name}: end some programs"),
    "SQLITE_READONLY": (Refused, "the database {name} cannot be written: give its file and its folder write permission"),
    "SQLITE_PERM": (Refused, "the database {name} may not be used: give its file and its folder read and write permission"),
    "SQLITE_CANTOPEN": (Refused, "the database {name} cannot be opened: look whether its folder exists and may be written"),
    "SQLITE_NOTADB": (Refused, "{name} is not an SQLite database; name another file in database_url, or move this one away"),
    "SQLITE_CORRUPT": (
        Refused,
        "the database {name} is damaged ({error}): restore a backup, or save what is left with `sqlite3 {name} .recover`",
    ),
}


class InWords:
    """Turns what the file or disk of this database is to blame for into an EnnioError; bugs stay what they are."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing is kept: one may be entered again, also while it is."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        if isinstance(error, (peewee.DatabaseError, sqlite3.DatabaseError)):
            translated = translate(self._name, error)
            if translated is not None:
                raise translated from error


def translate(name: str, error: Exception) -> EnnioError | None:
    """The error for whoever can act, or None where it is the program's fault."""
    code = _code(error)
    for primary, (kind, words) in _WORDS.items():
        if code == primary or code.startswith(primary + "_"):
            return kind(words.format(name=name, error=error))
    return None


def breaks_reference(error: Exception) -> bool:
    """Whether a row named another row that is not there."""
    return _code(error) == "SQLITE_CONSTRAINT_FOREIGNKEY"


def _code(error: Exception) -> str:
    driver_error = getattr(error, "orig", error)  # peewee wraps it
    return str(getattr(driver_error, "sqlite_errorname", ""))
