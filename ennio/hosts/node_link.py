"""The way to a host's ennio-node, as its keeper needs it: made, tried, ended and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ennio.model.node import NodeStep

Report = Callable[[NodeStep], None]


@dataclass(frozen=True, slots=True)
class DaemonHealth:
    """What a daemon answered: how long that took (seconds), its version, since when it runs."""

    round_trip: float
    version: str | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DaemonLog:
    """The end of a daemon's log, and where it lies on its host."""

    path: str
    text: str


class NodeLink(Protocol):
    """See the module. Every call may raise Unreachable, and Refused where a person must act."""

    def connect(self, report: Report) -> None:
        """Have the daemon there, of our version, started and reachable; each step is reported as
        it ends. What stands already is found and not made again.
        """
        ...

    def heartbeat(self) -> DaemonHealth:
        """Ask it whether it is well."""
        ...

    def disconnect(self) -> None:
        """Shut it down; its agents go on. One that is gone is fine."""
        ...

    def release(self) -> None:
        """Close what is ours of the way; the daemon goes on."""
        ...

    def log(self, most: int) -> DaemonLog:
        """The last so many bytes of its log. Raises NotFound where there is none."""
        ...
