"""Tells issues what their sessions have come to: one follower of the log for
each project with a tracker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.follower import FollowerActor
from ennio.actors.messages import EffectResult, GetHealth, Ping
from ennio.actors.poller import SourceHealth
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, Event, EventType
from ennio.model.failpoints import seconds
from ennio.model.session import Priority, Session
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from ennio.policy import delivering
from ennio.store import Transaction

RETRY = delivering.Retry(first=seconds(5.0, shortened=0.5), factor=2.0)
KINDS: Mapping[str, MilestoneKind] = MappingProxyType(
    {
        EventType.SESSION_SPAWNED: MilestoneKind.SPAWNED,
        EventType.PR_CREATED: MilestoneKind.PULL_OPENED,
        EventType.PR_MERGED: MilestoneKind.MERGED,
        EventType.PR_CLOSED: MilestoneKind.CLOSED,
        EventType.SESSION_KILLED: MilestoneKind.KILLED,
    }
)


class TrackerActor(FollowerActor[Event]):
    """Works off the log of one project: intends to tell each milestone, and
    tells them in their order.

    What cannot be reached is tried again until it can; what is refused is told in
    the log and passed over.
    """

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, project_id: str
    ) -> None:
        super().__init__(deps, name, watcher, types=KINDS, project_id=project_id)
        kind = DeliveryKind.MILESTONE
        self._queue = DurableQueue(self, deps, kind, self, lane=project_id, in_order=True)
        self._source = SourceHealth()

    def on_start(self) -> None:
        """Go on with what was not told before, and with the log."""
        self._queue.start()
        super().on_start()

    def on_stop(self) -> None:
        """No more tries, and no more listening."""
        self._queue.stop()
        super().on_stop()

    def on_receive(self, message: Any) -> Any:
        """Something was written, a pause is over, or an issue has been told."""
        match message:
            case EffectResult(DeliveryRecord() as delivery, result, error):
                self._queue.ended(delivery, result, error)
                return None
            case GetHealth():
                return self._source
        answer = super().on_receive(message)
        if not isinstance(message, Ping):
            self._queue.next()
        return answer

    def wants(self, event: Event) -> bool:
        """Whether its session works on an issue."""
        session = self._deps.store.sessions.get(event.session_id)
        return session is not None and bool(session.issue_id)

    def record(self, tx: Transaction, events: Sequence[Event], result: None) -> None:
        """Intend to tell each of them."""
        for event in events:
            delivery = DeliveryRecord(DeliveryKind.MILESTONE, event.id, event.project_id)
            self._deps.store.deliveries.intend(delivery)

    # --- what the queue asks ----------------------------------------------------------------------

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``."""
        return delivering.due(delivery, RETRY, now)

    def deliver(self, delivery: DeliveryRecord) -> float:
        """Tell the issue; the tracker knows a milestone again. Returns
        how long it took (seconds).
        """
        begun = time.monotonic()
        found = self._milestone(delivery)
        # a tracker of somebody's own may be older than this question
        tracker = self._deps.plugins.tracker(self._deps.project(delivery.lane))
        tell = getattr(tracker, "tell", None)
        if tell is not None and found is not None:
            tell(*found)
        return time.monotonic() - begun

    def _milestone(self, delivery: DeliveryRecord) -> tuple[str, Milestone] | None:
        """The issue, and what it is to be told; None when there is none any more."""
        event = self._deps.store.events.get(delivery.subject)
        session = None if event is None else self._deps.store.sessions.get(event.session_id)
        if event is None or session is None or not session.issue_id:
            return None
        return session.issue_id, milestone_of(event, session)

    def outcome(
        self,
        delivery: DeliveryRecord,
        result: float | None,
        error: EnnioError | None,
        now: datetime,
    ) -> DeliveryRecord:
        """See ``DeliveryWork``."""
        source = self._source
        source.looks, source.at = source.looks + 1, now
        source.took = source.took if result is None else result
        source.ok, source.detail = error is None, str(error or "")
        return delivering.outcome(delivery, error, RETRY, now)

    def record_outcome(
        self, tx: Transaction, outcome: DeliveryRecord, result: Any, error: EnnioError | None
    ) -> None:
        """Say in the log what was refused."""
        found = self._milestone(outcome)
        if outcome.state is DeliveryState.REFUSED and found is not None:
            issue_id, milestone = found
            draft = _refused(issue_id, milestone, str(error))
            tx.emit(milestone.session_id, outcome.lane, draft)


def milestone_of(event: Event, session: Session) -> Milestone:
    """What an event means to the session's issue; the pull request is the
    event's own where it names one.
    """
    number = event.data.get("number")
    return Milestone(
        kind=KINDS[event.event_type],
        session_id=session.id,
        agent=session.agent_name,
        branch=session.branch,
        pull_url=event.data.get("url") or session.pr_url,
        pull_number=number if isinstance(number, int) else session.pr_number,
    )


def _refused(issue_id: str, milestone: Milestone, why: str) -> Draft:
    words = f"issue {issue_id} could not be told that its work is at {milestone.kind}: {why}"
    data = {"step": "tracker", "issue": issue_id, "error": why}
    return Draft(EventType.SESSION_STEP, words, Priority.ACTION, data)
