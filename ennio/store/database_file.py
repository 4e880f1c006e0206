"""Whether the file of an open database is still the one that was opened, and a copy of
what it held when it is not.

The file may lie in a repository, and ``git clean -fdx`` takes it. SQLite writes on into a file that
has no name any more, and all of it is gone with the process: so every write looks first. Nor does
SQLite notice when another database is copied over the file, such as a backup: what is written then
would mix the two. So the header is read where the file has changed since the last write, and
a mark in it grows all the time, by which an older state is known.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shlex
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from ennio.model.errors import Gone
from ennio.store.database_header import LENGTH, DatabaseHeader, index_of, log_of, read

log = logging.getLogger(__name__)
Identity = tuple[int, int]
Change = tuple[int, int]
_MARK_ROWS, _MARK_SECONDS = 256, 60.0
"""The mark grows with the next write after so many changed rows, or so long."""


class DatabaseFile:
    """The file of one open database; ``driver`` gives its connection, for a copy."""

    def __init__(self, file: Path, driver: Callable[[], sqlite3.Connection]) -> None:
        self._file = file
        # every write looks at the file and its log; as texts that takes half the time
        self._looked_at = str(file), f"{file}-wal"
        self._driver = driver
        self._mark = _signed(driver())
        self._marked_at, self._marked_when = driver().total_changes, time.monotonic()
        self._log_begins = False
        # open as long as the database: who closes a file gives up the locks of all that have it
        self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(self._descriptor)
        self._own, self._change = (found.st_dev, found.st_ino), _change(found)
        self._header, self._version = self._read(), 0
        self._version = self._data_version()
        self._overwritten = False
        self._own_log: Identity | None = None
        self._saved: Path | None = None

    @property
    def overwritten(self) -> bool:
        """Whether another database, or another state of this one, lies in the file: nothing that
        is still in the log may come into it.
        """
        self._taken()
        return self._overwritten

    def close(self) -> None:
        """Look no more; the database is closed, or nobody will ever close it."""
        os.close(self._descriptor)

    @property
    def problem(self) -> str | None:
        """Why nothing can be written any more and how it goes on; None while all is well. What was
        in it is saved beside it first.
        """
        taken = self._taken()
        if not taken:
            return None
        if self._overwritten:
            return self._words_of_overwriting(taken)
        if self._saved is None or not self._saved.exists():
            self._saved = None
            self._save()
        return self._words(taken)

    def insist(self) -> None:
        """Raise Gone when the file was taken away or replaced. Costs two looks at a folder."""
        problem = self.problem
        if problem is not None:
            raise Gone(problem)
        driver = self._driver()
        changed = driver.total_changes - self._marked_at
        due = self._marked_when + _MARK_SECONDS
        if self._log_begins or changed >= _MARK_ROWS or (changed and time.monotonic() >= due):
            self._set_mark(driver)

    def _taken(self) -> str:
        """What became of the file or of its write-ahead log; empty when nothing did."""
        file, journal = self._looked_at
        try:
            found = os.stat(file)
        except OSError:
            return f"{file} was removed"
        if (found.st_dev, found.st_ino) != self._own:
            return f"{file} was replaced"
        if self._overwritten or (_change(found) != self._change and not self._is_ours(found)):
            return f"{file} was overwritten"
        log_now = identity(journal)
        if self._own_log is None:
            self._own_log = log_now
        if log_now != self._own_log:
            return (
                f"{journal}, which belongs to the database, was "
                f"{'removed' if log_now is None else 'replaced'}"
            )
        return ""

    def _set_mark(self, driver: sqlite3.Connection) -> None:
        if driver.in_transaction:
            return
        with contextlib.suppress(sqlite3.Error):  # the write that follows says what is the matter
            driver.execute(f"PRAGMA user_version = {self._mark + 1}")
            self._mark += 1
            self._log_begins, self._marked_at = False, driver.total_changes
            self._marked_when = time.monotonic()

    def _is_ours(self, found: os.stat_result) -> bool:
        """Whether what was written into the file came from the log: it is our database then, and
        not older than it was. Tables change only by a transaction, which SQLite tells of.
        """
        before, now = self._header, self._read()
        self._overwritten = (
            now is None
            or before is None
            or now.own != before.own
            or not before.mark <= now.mark <= self._mark
            or (now.schema != before.schema and self._data_version() == self._version)
        )
        if not self._overwritten:
            self._header, self._change = now, _change(found)
            self._version = self._data_version()
            self._log_begins = True  # what comes into it from now on is newer than the file
        else:
            log.critical("database overwritten", extra={"file": str(self._file)})
        return not self._overwritten

    def _read(self) -> DatabaseHeader | None:
        return read(os.pread(self._descriptor, LENGTH, 0))

    def _data_version(self) -> int:
        try:
            return int(self._driver().execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return self._version  # it cannot be read any more, so nobody has changed it

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

    def _words_of_overwriting(self, taken: str) -> str:
        rest = " ".join(
            shlex.quote(str(path)) for path in (log_of(self._file), index_of(self._file))
        )
        return (
            f"{taken} while Ennio ran, by another database or by another state of this one (a "
            "backup?): nothing is written any more, so that two histories are not mixed, and "
            "agents go on. To go on with what lies there now: "
            f"ennio stop && rm -f {rest} && ennio start"
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


def _signed(driver: sqlite3.Connection) -> int:
    """Give the database an id of its own, where it has none, and the next mark, and have what it
    holds in its file; then the log begins with the mark after it.
    """
    own, mark = (
        int(driver.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("application_id", "user_version")
    )
    if not own:
        driver.execute(f"PRAGMA application_id = {secrets.randbelow(2**31 - 1) + 1}")
    driver.execute(f"PRAGMA user_version = {mark + 1}")
    driver.execute("PRAGMA wal_checkpoint(PASSIVE)")
    driver.execute(f"PRAGMA user_version = {mark + 2}")
    return mark + 2


def _change(found: os.stat_result) -> Change:
    return found.st_mtime_ns, found.st_size


def identity(file: Path | str) -> Identity | None:
    """What tells a file from another of its name; None when there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
