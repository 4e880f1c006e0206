"""Followers of the event log: each has a cursor of its own in the store, and
catches up after any absence.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, EventsWritten, GetHealth, Ping, Wake
from ennio.actors.poller import SourceHealth
from ennio.actors.timers import Alarm
from ennio.model.errors import EnnioError
from ennio.model.events import EncodedEvent, Event
from ennio.model.failpoints import seconds
from ennio.store import Transaction

FIRST_PAUSE = seconds(5.0, shortened=0.5)
LONGEST_PAUSE = 300.0
E = TypeVar("E", Event, EncodedEvent)


@dataclass(frozen=True, slots=True)
class Batch(Generic[E]):
    """Events on their way, oldest first; once they are handled the cursor stands at ``seq``.

    ``begun`` is the monotonic time at which handling them began.
    """

    events: tuple[E, ...]
    seq: int
    begun: float


class FollowerActor(Actor, Generic[E]):
    """Works off the log, a batch at a time, in order; its name is that of its cursor.

    What ``handle`` did is told again when a crash came before the cursor moved, so it is safe to
    repeat. Where it fails, the same batch is tried again after a pause that grows: nothing is ever
    passed over but by ``wants``.
    """

    batch = 100
    first_pause = FIRST_PAUSE
    longest_pause = LONGEST_PAUSE

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        *,
        types: Collection[str] | None = None,
        project_id: str | None = None,
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._types = None if types is None else tuple(types)
        self._project_id = project_id
        self._under_way: Batch[E] | None = None
        self._failures = 0
        self._pause: tuple[datetime, datetime] | None = None
        self._unlisten: Any = None
        self._retry = Alarm(self, deps.clock, Wake())
        self.health = SourceHealth()

    def read(self, after: int) -> Sequence[E]:
        """The next of the types and project that are followed, behind a seq: as events, but for
        who passes them on without looking into them.
        """
        found: Sequence[Any] = self._deps.store.events.after(
            after, limit=self.batch, project_id=self._project_id, types=self._types
        )
        return found

    def wants(self, event: E) -> bool:
        """Whether this one, of the types and project that are followed, is to be handled."""
        return True

    def ready(self) -> bool:
        """Whether a batch can be handled now. Who says no has a ``Wake`` sent to
        itself once it may be yes.
        """
        return True

    def handle(self, events: Sequence[E]) -> Any:
        """Do what is to be done about a batch, beside the mailbox; its
        result goes to ``record``.
        """

    def record(self, tx: Transaction, events: Sequence[E], result: Any) -> None:
        """Write what came of a batch, in the transaction that moves the cursor past it."""

    def on_start(self) -> None:
        """Go on where the last one ended; a log that was never followed is followed from now on."""
        if self._deps.store.cursors.get(self.name) is None:
            self._move(self._deps.store.events.last_seq())
        self._unlisten = self._deps.store.listen(self._heard)
        self._next()

    def on_stop(self) -> None:
        """Listen no more."""
        self._retry.cancel()
        if self._unlisten is not None:
            self._unlisten()

    def on_receive(self, message: Any) -> Any:
        """Something was written, a pause is over, or a batch has been handled."""
        match message:
            case EventsWritten() | Wake():
                self._next()
            case EffectResult(Batch() as batch, result, error):
                self._handled(batch, result, error)
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _heard(self, events: Sequence[Event]) -> None:
        """Runs where the events were written."""
        if any(self._concerns(event) for event in events) and not self.actor_stopped.is_set():
            self.actor_ref.tell(EventsWritten())

    def _concerns(self, event: Event) -> bool:
        return (self._types is None or event.event_type in self._types) and self._project_id in (
            None,
            event.project_id,
        )

    def _next(self) -> None:
        if self._under_way is not None or self._waits(self._deps.clock.now()):
            return
        if not self.ready():
            return
        self._under_way = batch = self._due()
        if batch is not None:
            self.perform(batch, lambda: self.handle(batch.events))

    def _waits(self, now: datetime) -> bool:
        """Whether it is too early; a pause that begins in a time to come is one from
        before the clock was put back.
        """
        return self._pause is not None and self._pause[0] <= now < self._pause[1]

    def _due(self) -> Batch[E] | None:
        """The next events that are wanted; what is not is passed over for good."""
        cursor = self._deps.store.cursors.get(self.name) or 0
        while events := self.read(cursor):
            cursor = events[-1].seq
            wanted = tuple(event for event in events if self.wants(event))
            if wanted:
                return Batch(wanted, cursor, time.monotonic())
            self._move(cursor)
        return None

    def _move(self, seq: int) -> None:
        self._deps.store.cursors.move(self.name, seq)

    def _handled(self, batch: Batch[E], result: Any, error: EnnioError | None) -> None:
        self._under_way = None
        now = self._deps.clock.now()
        self.health.looked(now, str(error or ""), time.monotonic() - batch.begun)
        if error is not None:
            self._wait(now)
            return
        self._failures, self._pause = 0, None
        with self._deps.store.transaction() as tx:
            self._move(batch.seq)
            self.record(tx, batch.events, result)
        self._next()

    def _wait(self, now: datetime) -> None:
        pause = min(self.first_pause * 2 ** min(self._failures, 10), self.longest_pause)
        self._failures += 1
        self._pause = (now, now + timedelta(seconds=pause))
        self._retry.set(self._pause[1])
