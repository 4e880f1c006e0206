"""Whether the file of an open database is still the one that was opened, and a copy of
what it held when it is not.

The file may lie in a repository, and ``git clean -fdx`` takes it. SQLite writes on into a file that
has no name any more, and all of it is gone with the process: so every write looks first.
"""

from __future__ import annotations

import logging
import os
import shlex
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from ennio.model.errors import Gone

log = logging.getLogger(__name__)
Identity = tuple[int, int]


class DatabaseFile:
    """The file of one open database; ``driver`` gives its connection, for a copy."""

    def __init__(self, file: Path, driver: Callable[[], sqlite3.Connection]) -> None:
        self._file = file
        # every write looks at the file and its log; as texts that takes half the time
        self._looked_at = str(file), f"{file}-wal"
        self._driver = driver
        self._own = identity(file)
        self._own_log: Identity | None = None
        self._saved: Path | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing can be written any more and how it goes on; None while all is well. What was
        in it is saved beside it first.
        """
        taken = self._taken()
        if not taken:
            return None
        if self._saved is None or not self._saved.exists():
            self._saved = None
            self._save()
        return self._words(taken)

    def insist(self) -> None:
        """Raise Gone when the file was taken away or replaced. Costs two looks at a folder."""
        problem = self.problem
        if problem is not None:
            raise Gone(problem)

    def _taken(self) -> str:
        """What became of the file or of its write-ahead log; empty when nothing did."""
        file, journal = self._looked_at
        now = identity(file)
        if now != self._own:
            return f"{file} was {'removed' if now is None else 'replaced'}"
        log_now = identity(journal)
        if self._own_log is None:
            self._own_log = log_now
        if log_now != self._own_log:
            return (
                f"{journal}, which belongs to the database, was "
                f"{'removed' if log_now is None else 'replaced'}"
            )
        return ""

    def _save(self) -> None:
        """A whole copy beside it, made by SQLite from what is still open; a failure is told in the
        log and tried at the next write.
        """
        copy = self._file.with_name(
            f"{self._file.name}.saved-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        )
        try:
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            target = sqlite3.connect(copy)
            try:
                self._driver().backup(target)
            finally:
                target.close()
        except (OSError, sqlite3.Error) as error:
            log.critical(
                "database taken away, and no copy could be made",
                extra={"file": str(self._file), "error": str(error)},
            )
            copy.unlink(missing_ok=True)
            return
        self._saved = copy
        log.critical(
            "database taken away, a copy of what it held was made",
            extra={"file": str(self._file), "copy": str(copy)},
        )

    def _words(self, taken: str) -> str:
        if self._saved is None:
            return (
                f"{taken} while Ennio ran: nothing can be written any more, and agents go on; "
                "ennio stop && ennio start finds them"
            )
        file, copy = shlex.quote(str(self._file)), shlex.quote(str(self._saved))
        way = f"ennio stop && rm -f {file} {file}-wal {file}-shm && mv {copy} {file} && ennio start"
        return (
            f"{taken} while Ennio ran: nothing is written any more, and agents go on. What it "
            f"held is saved; to go on with it: {way}"
        )


def identity(file: Path | str) -> Identity | None:
    """What tells a file from another of its name; None when there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
