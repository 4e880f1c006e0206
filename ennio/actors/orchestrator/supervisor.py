"""The supervisor itself: how it is, what reaches it from outside, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ennio
from ennio.actors import condition, inside, webhooks
from ennio.actors.dependencies import Dependencies
from ennio.actors.disk_usage import DiskReader, DiskUsage
from ennio.actors.messages import CrashForTest
from ennio.actors.metrics import MetricsReader, Numbers
from ennio.model.errors import NotFound
from ennio.model.failpoints import failpoint
from ennio.policy.degradation import Readiness


@dataclass(frozen=True, slots=True)
class SupervisorApi:
    """What can be asked of all of it. ``stop`` asks the arbiter to end it.

    ``config_problem`` says what is wrong with its file where it stands on the last good one
    instead. ``adopted`` are the sessions that run and that its database did not know, ``pid`` is
    the process it lives in.
    """

    deps: Dependencies
    started_at: datetime
    stop: Callable[[], None]
    config_problem: str | None = None
    adopted: Sequence[str] = ()
    pid: int = 0
    reader: MetricsReader | None = None
    disk_reader: DiskReader | None = None

    @failpoint("order.crash", because="chaos of its own: a test of the machine")
    def crash(self, name: str) -> None:
        """Let one actor end with an error, as only the chaos endpoint orders."""
        if not self.deps.actors.tell(name, CrashForTest()):
            raise NotFound(f"no actor {name} is running")

    @failpoint(
        "order.webhook",
        because="a hint that may be lost; one not answered is sent again, and known by its number",
    )
    def webhook(self, event: str, delivery: str, signature: str | None, raw: bytes) -> str:
        """Take in what GitHub sent; see ``webhooks.received``."""
        return webhooks.received(self.deps, event, delivery, signature, raw)

    @property
    def run_dir(self) -> str:
        """Where it keeps what belongs to this one life of it."""
        return str(self.deps.home.run(self.deps.config.source))

    def status(self) -> dict[str, Any]:
        """How it is: actors, sources, sessions, queue."""
        return {
            "version": ennio.__version__,
            "pid": self.pid,
            "started_at": self.started_at.isoformat(),
            "config": str(self.deps.config.source),
            "config_problem": self.config_problem,
            "adopted": self.adopted,
            **condition.condition(self.deps, self.config_problem),
        }

    def readiness(self) -> Readiness:
        """Whether it can do its work, and what is not well."""
        return condition.readiness(self.deps, self.config_problem)

    def metrics(self) -> Numbers:
        """The numbers for whoever scrapes them. Raises Unreachable before
        the database was ever read.
        """
        reader = self.reader or MetricsReader(self.deps)
        return reader.read(self.config_problem)

    def disk(self) -> DiskUsage:
        """What takes the disk. May take minutes, and holds up nobody else. Raises Unreachable."""
        reader = self.disk_reader or DiskReader(self.deps)
        return reader.read()

    def inside(self) -> dict[str, Any]:
        """What goes on in it, for whoever looks for a fault. For a moment nothing else happens."""
        return {
            "status": self.status(),
            "actors": inside.actors(self.deps),
            "database": inside.database(self.deps),
            "plugin_calls": {
                f"{slot} {name}": {"calls": told.calls, "failed": told.failed}
                for (slot, name), told in self.deps.plugins.calls.read().items()
            },
            "events": inside.events(self.deps),
            "greenlets": inside.greenlets(),
        }

    def health(self) -> dict[str, Any]:
        """How each source has been doing."""
        return condition.health(self.deps)

    @failpoint("order.shutdown", because="ends the process: the end-to-end tests")
    def shutdown(self) -> None:
        """End the supervisor. Agents go on."""
        self.stop()
