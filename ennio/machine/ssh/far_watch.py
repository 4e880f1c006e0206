"""Waits for hooks of agents over there.

Nothing else over there is waited for, so whatever is asked to be is answered with False: a look
finds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ennio.machine.file_watches import Subject
from ennio.machine.news_watch import FILES, NOTIFIED
from ennio.machine.ssh.notify_pipe import NoNotifyPipe, NotifyPipe
from ennio.machine.ssh.pool import ShellPool
from ennio.model.errors import EnnioError

_AGAIN = 1.0  # seconds between two attempts to have a pipe: connecting is others' affair
_NONE = 300.0  # the same, where there can be none
_SLICE = 5.0  # seconds until it is seen that no agent is left


class FarWatch:
    """See ``NewsWatch``. A pipe is read over there as long as an agent's files are looked at, on a
    connection that others have opened; a machine that gives none is only looked at.
    """

    trouble = ""

    def __init__(self, pool: ShellPool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._agents = set[str]()
        self._woken = threading.Event()
        self._pipe: NotifyPipe | None = None
        self._due = 0.0
        self._closed = False

    def files(self, subject: Subject, paths: Sequence[Path], *, anew: bool = False) -> bool:
        """See ``NewsWatch``: whose agent writes may notify us."""
        session_id, kind = subject
        if kind == FILES:
            with self._lock:
                self._agents.add(session_id)
            self._woken.set()
        return False

    def process(self, subject: Subject, pid: int) -> bool:
        """See ``NewsWatch``."""
        return False

    def forget(self, subject: Subject) -> None:
        """See ``NewsWatch``."""
        session_id, kind = subject
        if kind == FILES:
            with self._lock:
                self._agents.discard(session_id)

    def wait(self, timeout: float) -> frozenset[Subject]:
        """See ``NewsWatch``: whose hook wrote."""
        until = time.monotonic() + timeout
        found = frozenset[Subject]()
        while not found and not self._closed and (left := until - time.monotonic()) > 0:
            pipe = self._opened()
            if pipe is not None:
                found = self._notified(pipe, min(left, _SLICE))
                continue
            self._woken.wait(min(left, _AGAIN) if self._agents else left)
            self._woken.clear()
        if self._closed:
            self._take_down()
        return found

    def close(self) -> None:
        """See ``NewsWatch``; whoever waits is told of nobody."""
        self._closed = True
        self._woken.set()
        self._take_down()

    def _opened(self) -> NotifyPipe | None:
        if not self._agents:
            self._take_down()
        elif self._pipe is None and time.monotonic() >= self._due:
            self._due = time.monotonic() + _AGAIN
            try:
                self._pipe = NotifyPipe.opened(self._pool)
            except (EnnioError, OSError, EOFError):
                return None  # those who ask it something say what is wrong
        return self._pipe

    def _notified(self, pipe: NotifyPipe, timeout: float) -> frozenset[Subject]:
        try:
            names = pipe.wait(timeout)
        except (EnnioError, OSError, EOFError) as error:
            self._take_down()
            if isinstance(error, NoNotifyPipe):
                self._due = time.monotonic() + _NONE
            return frozenset()
        with self._lock:
            return frozenset((session_id, NOTIFIED) for session_id in names & self._agents)

    def _take_down(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
