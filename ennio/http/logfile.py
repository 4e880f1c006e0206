"""The file a supervisor in the background logs to: held to a size, and begun anew where
somebody moved or removed it.
"""

from __future__ import annotations

import fcntl
import math
import os
import stat
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

LOG = "supervisor.log"
LARGEST = 10 * 1024 * 1024
_EVERY = 1.0
_OUTPUT = (1, 2)


def predecessor(log: Path) -> Path:
    """Where what was written before the file was begun anew is kept; what was
    there before that is gone.
    """
    return log.with_name(f"{log.name}.1")


class LogFile:
    """The output of this process, kept at one path. A process forked from this one
    keeps its own there too.
    """

    def __init__(self, path: Path, descriptors: Collection[int]) -> None:
        self._path = path
        self._descriptors = tuple(descriptors)
        self._looked = -math.inf

    @classmethod
    def of_process(cls, path: Path) -> LogFile | None:
        """What this process's output has to be kept at; None when it goes elsewhere: to a terminal,
        or a file of the person's.
        """
        there = _status(path)
        those = [
            number
            for number in _OUTPUT
            if there is not None and os.path.samestat(there, os.fstat(number))
        ]
        return cls(path, those) if those else None

    def look(self) -> None:
        """To be called before something is written: see that it gets to the right file.
        Looks once a second at most.
        """
        now = time.monotonic()
        if now - self._looked < _EVERY:
            return
        self._looked = now
        with suppress(OSError):  # until that is mended it goes where it went before
            self._follow()

    def _follow(self) -> None:
        there = _status(self._path)
        if there is not None and not stat.S_ISREG(there.st_mode):
            return  # to open a pipe is to wait for whoever reads it
        if not self._is_ours(there):
            self._open()
        elif there is not None and there.st_size > LARGEST:
            self._begin_anew()

    def _is_ours(self, there: os.stat_result | None) -> bool:
        return there is not None and os.path.samestat(there, os.fstat(self._descriptors[0]))

    def _begin_anew(self) -> None:
        # arbiter and worker have the same file: the second would put the new one in the
        # place of what is to be kept
        fcntl.lockf(self._descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._is_ours(_status(self._path)):
            self._path.replace(predecessor(self._path))
        self._open()

    def _open(self) -> None:
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.fchmod(opened, 0o600)
            for number in self._descriptors:
                os.dup2(opened, number)
        finally:
            os.close(opened)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
