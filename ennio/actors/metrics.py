"""The numbers that are told to whoever scrapes them.

A total is read from the log and the store, so it survives a restart, and nothing is written for it.
What was counted of the log before is not counted again: it only grows.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from ennio.actors import condition
from ennio.actors.dependencies import Dependencies
from ennio.model.codec import dumps, from_json
from ennio.model.errors import Away, EnnioError
from ennio.model.events import EventType
from ennio.model.histogram import Histogram
from ennio.plugins.observed import BOUNDS, CallStatistics, PluginCalls
from ennio.policy.degradation import Degradation
from ennio.policy.ledger.spending import Spending
from ennio.store import Store
from ennio.store.totals import COMPLETED, ENDED, LIFE_BOUNDS

CALLS = "plugin_calls"
"""Under this name in the store: the calls of plugins that were counted up
to the last orderly end.
"""


@dataclass(frozen=True, slots=True)
class _PluginRow:
    slot: str
    plugin: str
    statistics: CallStatistics


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that is told. ``events`` are by type, ``lives`` seconds from spawn to end of sessions
    that have ended for good, ``spent`` is all that is in the books.
    """

    events: Mapping[str, int]
    completed: int
    active: int
    lives: Histogram
    spent: Spending
    queue: int
    ready: bool
    degraded: tuple[Degradation, ...]
    calls: Mapping[tuple[str, str], CallStatistics]

    def events_of(self, kind: EventType) -> int:
        """How many events of one type there ever were."""
        return self.events.get(kind.value, 0)


class MetricsReader:
    """Reads the numbers; one for a supervisor, since it remembers how far the log was counted."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reading = threading.Lock()
        self._events: Counter[str] = Counter()
        self._until = 0
        self._lives = Histogram.of(LIFE_BOUNDS)
        self._ended = -1
        self._last: Numbers | None = None

    def read(self, config_problem: str | None) -> Numbers:
        """The numbers now. While the database is away: the last ones, with what is not well now.

        A total that went back to nothing would be taken for a new beginning. Raises Away
        where there are no last ones.
        """
        judged = condition.readiness(self._deps, config_problem)
        with self._reading:
            if self._deps.store.problem is None:
                self._last = self._read()
            if self._last is None:
                raise Away(f"nothing was counted yet: {self._deps.store.problem}")
            return replace(
                self._last,
                ready=judged.ready,
                degraded=judged.degraded,
                calls=self._deps.plugins.calls.read(),
            )

    def _read(self) -> Numbers:
        store = self._deps.store
        self._count_on()
        sessions = store.totals.sessions()
        return Numbers(
            events=dict(self._events),
            completed=sum(sessions.get(status, 0) for status in COMPLETED),
            active=store.totals.active(),
            lives=self._of_ended(sum(sessions.get(status, 0) for status in ENDED)),
            spent=store.ledger.total(),
            queue=len(store.queue.list()),
            ready=True,
            degraded=(),
            calls={},
        )

    def _count_on(self) -> None:
        """Only what is new is counted, unless something of that is not kept any more."""
        totals, until = self._deps.store.totals, self._deps.store.events.last_seq()
        if not self._until or totals.pruned_until() > self._until:
            self._events = Counter(totals.events(until))
        elif until > self._until:
            self._events.update(totals.new_events(self._until, until))
        self._until = until

    def _of_ended(self, ended: int) -> Histogram:
        """They are read again once one more has ended."""
        if ended != self._ended:
            self._lives, self._ended = self._deps.store.totals.lives(), ended
        return self._lives


def keep_calls(store: Store, calls: PluginCalls) -> None:
    """Write down how often plugins were called; at an orderly end only, since
    nothing is written for a look.
    """
    rows = [_PluginRow(slot, name, told) for (slot, name), told in calls.read().items()]
    with suppress(EnnioError):  # a database that was taken away is no reason not to end
        store.meta.set(CALLS, dumps(rows))


def recall_calls(store: Store, calls: PluginCalls) -> None:
    """Count on from there. What another version counted in other steps is begun anew."""
    rows = from_json(tuple[_PluginRow, ...], json.loads(store.meta.get(CALLS) or "[]"))
    same = [row for row in rows if len(row.statistics.within) == len(BOUNDS) + 1]
    calls.go_on({(row.slot, row.plugin): row.statistics for row in same})
