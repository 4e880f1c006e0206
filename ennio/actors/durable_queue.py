"""Deliveries of one kind, worked off lane by lane: intended, done, settled, each
written before the next.

A lane is a destination. One thing at a time is on its way in each, and nobody waits for another
lane: who does not answer, or never comes back, holds up their own only. After a crash a delivery
that was being done is done again; whoever does it looks first whether it happened, or gives it a
name by which the destination knows it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import Wake
from ennio.actors.timers import Alarm
from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.errors import EnnioError
from ennio.store import Transaction


class DeliveryWork(Protocol):
    """What is done about deliveries of one kind."""

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """When it may be tried; ``now`` or earlier for at once."""
        ...

    def deliver(self, delivery: DeliveryRecord) -> Any:
        """Do it, beside the mailbox. Safe to repeat: ``attempts`` tells whether it
        may have happened before.
        """
        ...

    def outcome(
        self, delivery: DeliveryRecord, result: Any, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """What becomes of the delivery after a try."""
        ...

    def record_outcome(
        self, tx: Transaction, outcome: DeliveryRecord, result: Any, error: EnnioError | None
    ) -> None:
        """Write what else is to be written with it, in the same transaction."""
        ...


class DurableQueue:
    """Works off the deliveries of one kind for the actor that holds it, which passes on
    ``Wake`` and the ends of tries.

    ``lane``: in this one only. ``in_order``: in a lane nothing overtakes what waits. ``before`` is
    called each time before it looks for what is due.
    """

    def __init__(
        self,
        actor: Actor,
        deps: Dependencies,
        kind: DeliveryKind,
        work: DeliveryWork,
        *,
        lane: str | None = None,
        in_order: bool = False,
        before: Callable[[], None] | None = None,
    ) -> None:
        self._actor = actor
        self._deps = deps
        self._kind = kind
        self._work = work
        self._lane = lane
        self._in_order = in_order
        self._before = before
        self._under_way: dict[str, DeliveryRecord] = {}
        self._waits: dict[str, datetime] = {}
        self._alarm = Alarm(actor, deps.clock, Wake())

    def start(self) -> None:
        """Take up what was intended before; what was put off is tried at once."""
        self._deps.store.deliveries.hasten(self._kind, self._lane)
        self.next()

    def stop(self) -> None:
        """No more tries."""
        self._alarm.cancel()

    def next(self, lane: str | None = None) -> None:
        """Begin what is due, in every lane (or this one) in which nothing is under way."""
        if self._before is not None:
            self._before()
        now, lane = self._deps.clock.now(), lane or self._lane
        self._waits = {name: at for name, at in self._waits.items() if lane not in (None, name)}
        due = self._deps.store.deliveries.open(self._kind, lane)
        for name, deliveries in groupby(due, attrgetter("lane")):
            if name not in self._under_way:
                self._begin(name, deliveries, now)
        self._alarm.set(min(self._waits.values(), default=None))

    def _begin(self, lane: str, deliveries: Iterable[DeliveryRecord], now: datetime) -> None:
        """Begin the first that is due."""
        for delivery in deliveries:
            at = self._work.due(delivery, now)
            if at > now:
                self._waits[lane] = min(at, self._waits.get(lane, at))
                if self._in_order:
                    return
                continue
            taken = self._deps.store.deliveries.take(delivery, now)
            if taken is not None:
                self._under_way[lane] = taken
                self._actor.perform(taken, partial(self._work.deliver, taken))
            return

    def ended(self, taken: DeliveryRecord, result: Any, error: EnnioError | None) -> None:
        """A try has ended: settle it, and go on with its lane."""
        outcome = self._work.outcome(taken, result, error, self._deps.clock.now())
        with self._deps.store.transaction() as tx:
            if self._deps.store.deliveries.settle(taken, outcome):
                self._work.record_outcome(tx, outcome, result, error)
        self._under_way.pop(taken.lane, None)
        self.next(taken.lane)
