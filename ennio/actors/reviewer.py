"""Says on pull requests what readers said of sessions' changes: each review once, one at a time for
each project, whatever fails in between.

The agent has been told by then, in the transaction that wrote the review down.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.messages import EffectResult, LookNow, Ping, Wake
from ennio.actors.registry import forge_name
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.model.inline_comment import Remark
from ennio.model.session import Priority
from ennio.plugins.forge.interface import TakesRemarks
from ennio.policy import delivering
from ennio.store import Transaction

RETRY = delivering.Retry(first=seconds(5.0, shortened=0.5), factor=2.0)


class ReviewActor(Actor):
    """See the module. Who cannot be reached is tried again until it can; what is refused is told
    in the log.
    """

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._queue = DurableQueue(self, deps, DeliveryKind.REVIEW, self)

    def on_start(self) -> None:
        """Go on with what was not said before."""
        self._queue.start()

    def on_stop(self) -> None:
        """No more tries."""
        self._queue.stop()

    def on_receive(self, message: Any) -> Any:
        """A review was written down, a pause is over, or one has been said."""
        match message:
            case Wake():
                self._queue.next()
            case EffectResult(DeliveryRecord() as delivery, result, error):
                self._queue.ended(delivery, result, error)
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    # --- what the queue asks ----------------------------------------------------------------------

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``."""
        return delivering.due(delivery, RETRY, now)

    def deliver(self, delivery: DeliveryRecord) -> None:
        """Say it; the forge knows one again that is there already."""
        order = self._deps.store.review_orders.get(delivery.subject)
        if order is None:
            return
        forge, review = self._forge(delivery.lane), order.review
        remarks = tuple(map(Remark.of, review.comments))
        forge.remark(
            order.number, review.author, review.body, remarks, key=order.id, head=review.head
        )
        self._deps.actors.tell(forge_name(delivery.lane), LookNow())

    def _forge(self, project_id: str) -> TakesRemarks:
        forge = self._deps.plugins.forge(self._deps.project(project_id))
        if not isinstance(forge, TakesRemarks):
            raise Refused(f"project {project_id} has no forge any more that takes a review")
        return forge

    def outcome(
        self, delivery: DeliveryRecord, result: Any, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """See ``DeliveryWork``."""
        del result
        return delivering.outcome(delivery, error, RETRY, now)

    def record_outcome(
        self, tx: Transaction, outcome: DeliveryRecord, result: Any, error: EnnioError | None
    ) -> None:
        """Say in the log what became of it."""
        del result
        order = self._deps.store.review_orders.get(outcome.subject)
        if order is None or outcome.settled_at is None:
            return
        where = f"#{order.number}"
        words, priority = f"the review of its changes is on {where}", Priority.INFO
        if outcome.state is not DeliveryState.DONE:
            words = f"the review of its changes could not be put on {where}: {error}"
            priority = Priority.ACTION
        data = {"step": "review", "message": order.id, "error": outcome.error}
        tx.emit(
            order.session_id, outcome.lane, Draft(EventType.SESSION_STEP, words, priority, data)
        )
