"""Waits for what happens on this machine: to files, on terminals, to processes."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ennio.machine.file_watches import FileWatches, Subject
from ennio.machine.process_ends import ProcessEnds, close

GATHER = 0.05  # seconds in which what comes at once becomes one word


class MachineWatch:
    """See ``NewsWatch``. Everything but ``wait`` costs no more than a few calls of the system."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._files = FileWatches(self.wake)
        self._ends = ProcessEnds(self.wake)

    @property
    def trouble(self) -> str:
        """See ``NewsWatch``."""
        return self._files.trouble or self._ends.trouble

    def files(self, subject: Subject, paths: Sequence[Path], *, anew: bool = False) -> bool:
        """See ``FileWatches.watch``."""
        return self._files.watch(subject, paths, anew=anew)

    def process(self, subject: Subject, pid: int) -> bool:
        """See ``ProcessEnds.watch``."""
        return self._ends.watch(subject, pid)

    def forget(self, subject: Subject) -> None:
        """See ``NewsWatch``."""
        self._files.forget(subject)
        self._ends.forget(subject)

    def wake(self) -> None:
        """Let whoever waits look at once at what there is to wait for."""
        with suppress(OSError):  # it is awake, or there is nobody any more
            os.write(self._waker, b"\0")

    def wait(self, timeout: float) -> frozenset[Subject]:
        """Wait until something happens, and a moment longer for what comes with it; to whom.

        Nobody, when woken or when the time (seconds) is over. Only one at a time may wait.
        """
        left = self._ends.take_left()  # as long as they are open their numbers are nobody else's
        files = self._files.fileno()
        self._turn_to(self._ends.descriptors() | (frozenset() if files is None else {files}))
        close(left)
        readable = self._readable(timeout)
        if not readable:
            return frozenset()
        time.sleep(GATHER)
        return self._files.changed() | self._ends.ended(readable)

    def close(self) -> None:
        """Wait for nothing any more; nobody may be waiting."""
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)
        self._files.close()
        self._ends.close()

    def _turn_to(self, wanted: frozenset[int]) -> None:
        known = frozenset(self._selector.get_map()) - {self._woken}
        for descriptor in known - wanted:
            self._selector.unregister(descriptor)
        for descriptor in wanted - known:
            self._selector.register(descriptor, selectors.EVENT_READ)

    def _readable(self, timeout: float) -> frozenset[int]:
        found = frozenset(key.fd for key, _ in self._selector.select(timeout))
        if self._woken in found:
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
        return found - {self._woken}
