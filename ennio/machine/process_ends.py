"""Whose process has ended, as the kernel tells it: pidfd_open(2). Asks nobody and reaps nobody."""

from __future__ import annotations

import errno
import os
import resource
import threading
from collections.abc import Callable, Collection, Iterable

# of the files that this process may have open, one in so many at most is a process that is waited
# for
from ennio.machine.file_watches import Subject

_SHARE = 2


class ProcessEnds:
    """Holds an open descriptor for each process, which is readable once that has
    ended. Safe under threads.

    What is no longer of interest stays open until whoever waits has left off (``take_left``).
    ``begun`` is called whenever there is another to wait for.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._lock = threading.Lock()
        self._open: dict[Subject, tuple[int, int]] = {}
        self._left: list[int] = []
        self.trouble = ""
        """Why not every end can be waited for, and what helps; empty when
        there is nothing to be done.
        """

    def watch(self, subject: Subject, pid: int) -> bool:
        """From now on wait for the end of this process, in place of the one before;
        False where that cannot be.
        """
        with self._lock:
            known = self._open.get(subject)
            if known is not None and known[0] == pid:
                return True
            self._leave(subject)
            if not hasattr(os, "pidfd_open"):
                return False
            if (
                len(self._open) + len(self._left)
                >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _SHARE
            ):
                self.trouble = (
                    "ends of agents cannot all be waited for: too few files may be open; `ulimit "
                    "-n` sets another limit"
                )
                return False
            try:
                self._open[subject] = pid, os.pidfd_open(pid)
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self.trouble = f"ends of agents cannot be waited for: {error.strerror}"
                return False
            self.trouble = ""
        self._begun()
        return True

    def forget(self, subject: Subject) -> None:
        """Its end is of no interest any more."""
        with self._lock:
            self._leave(subject)

    def descriptors(self) -> frozenset[int]:
        """What is readable once a process has ended."""
        with self._lock:
            return frozenset(fd for _, fd in self._open.values())

    def ended(self, readable: Collection[int]) -> frozenset[Subject]:
        """Whose descriptors these are; they are not waited for any more."""
        with self._lock:
            found = frozenset(subject for subject, (_, fd) in self._open.items() if fd in readable)
            for subject in found:
                self._leave(subject)
            return found

    def take_left(self) -> tuple[int, ...]:
        """The descriptors that are waited for no more, for whoever waits to close."""
        with self._lock:
            left, self._left = tuple(self._left), []
            return left

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._lock:
            for subject in tuple(self._open):
                self._leave(subject)
        close(self.take_left())

    def _leave(self, subject: Subject) -> None:
        known = self._open.pop(subject, None)
        if known is not None:
            self._left.append(known[1])


def close(descriptors: Iterable[int]) -> None:
    """Close them."""
    for descriptor in descriptors:
        os.close(descriptor)
