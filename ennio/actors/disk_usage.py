"""What takes the disk, for people: reckoned when somebody asks, and kept for a minute."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ennio.actors.dependencies import Dependencies

KEPT = 60.0


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Bytes: by folder of ``ENNIO_HOME``, of the database (and what of it is in use), and free.

    ``limit`` is what the database may take.
    """

    at: datetime
    folders: Mapping[str, int]
    database: int
    database_used: int | None
    free: int
    limit: int | None


class DiskReader:
    """Reckons it, off every mailbox; whoever asks meanwhile waits for the same answer."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reading = threading.Lock()
        self._last: tuple[float, DiskUsage] | None = None

    def read(self) -> DiskUsage:
        """The usage, not older than a minute. Raises Unreachable."""
        with self._reading:
            now = self._deps.clock.running()
            if self._last is None or now - self._last[0] > KEPT:
                self._last = now, self._reckoned()
            return self._last[1]

    def _reckoned(self) -> DiskUsage:
        host, size = self._deps.this_machine, self._deps.store.size()
        return DiskUsage(
            self._deps.clock.now(),
            host.disk_usage(),
            size.total,
            size.used,
            host.free_disk(),
            self._deps.config.retention.disk,
        )
