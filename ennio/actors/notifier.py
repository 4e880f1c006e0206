"""Tells people: each notification once on each channel it is routed to, until it is told or
refused, or its cause is gone.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, assert_never

import pykka

from ennio.actors import answer_links, budgets
from ennio.actors.actor import Actor
from ennio.actors.channel_lanes import ChannelLanes
from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.messages import EffectResult, NotificationDue, Ping, Wake
from ennio.actors.timers import Alarm
from ennio.actors.withdrawals import Withdrawals
from ennio.config.model import NotifierConfig
from ennio.config.money import BudgetPeriod
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.plugins.notifier.interface import (
    Notification,
    NotificationAction,
    Notifier,
    RevocableNotifier,
)
from ennio.policy import delivering, notices
from ennio.policy.budgets.windows import window
from ennio.store import Notice, Transaction

RETRY = delivering.Retry(first=seconds(15.0, shortened=1.0), factor=2.0)
GIVEN_UP = timedelta(days=1)
"""How old a notice is when a channel that does not answer is not tried with it any more."""
STREAM = "events"


class NotifierActor(Actor):
    """Routes the notifications that are written down, and tells them, one lane for each channel.

    The event stream is a channel of its own, which waits for no other: the event written when a
    notification is routed is what it shows.
    """

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._waiting: dict[str, Notice] = {}
        self._lanes = ChannelLanes(deps.config.notifiers, RETRY)
        self._queue = DurableQueue(self, deps, DeliveryKind.NOTICE, self, before=self._fold)
        withdrawals = Withdrawals(deps, self._plugin, self._notification)
        self._withdrawals = DurableQueue(self, deps, DeliveryKind.WITHDRAWAL, withdrawals)
        self._midnight = Alarm(self, deps.clock, Wake())

    def on_start(self) -> None:
        """Take up what was not told before, over the channels there are now."""
        since = self._deps.clock.now() - self._lanes.memory
        self._lanes.remember(self._deps.store.deliveries.tried(DeliveryKind.NOTICE, since))
        pending = self._deps.store.notifications.pending()
        self._route([one for one in pending if one.folds is None])
        self._settle()
        self._take_back()
        self._queue.start()
        self._withdrawals.start()

    def on_stop(self) -> None:
        """No more tries."""
        self._midnight.cancel()
        self._queue.stop()
        self._withdrawals.stop()

    def on_receive(self, message: Any) -> Any:
        """A notification is due or its cause is gone, or one has been told."""
        match message:
            case NotificationDue():
                self._route(self._deps.store.notifications.unrouted())
                self._look_again()
            case Wake():
                self._look_again()
            case EffectResult(DeliveryRecord(DeliveryKind.WITHDRAWAL) as delivery, result, error):
                self._withdrawals.ended(delivery, result, error)
            case EffectResult(DeliveryRecord() as delivery, result, error):
                self._queue.ended(delivery, result, error)
                self._take_back()
                self._withdrawals.next()
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _look_again(self) -> None:
        self._settle()
        self._take_back()
        self._next()

    def _next(self) -> None:
        self._queue.next()
        self._withdrawals.next()

    def channels(self, notice: Notice) -> tuple[str, ...]:
        """The channels of a notification: each once, however many routes lead to it."""
        config = self._deps.config
        project = config.project(notice.project_id)
        return (STREAM, *notices.routed(config, project, notice.reaction, notice.priority))

    def _route(self, found: Collection[Notice]) -> None:
        """Intend a delivery on each channel; what waits for one that is
        none any more is dropped.
        """
        for notice in found:
            channels, now = self.channels(notice), self._deps.clock.now()
            with self._deps.store.transaction() as tx:
                self._drop(notice, channels, now)
                self._show(tx, notice, now)
                for channel in channels[1:]:
                    self._deps.store.deliveries.intend(
                        DeliveryRecord(DeliveryKind.NOTICE, notice.id, channel)
                    )
                self._end(tx, replace(notice, channels=channels), now)

    def _drop(self, notice: Notice, channels: Collection[str], now: datetime) -> None:
        for delivery in self._of(notice):
            if delivery.state.open and delivery.lane not in channels:
                dropped = delivering.settled(delivery, DeliveryState.DROPPED, now, delivery.error)
                self._deps.store.deliveries.settle(delivery, dropped)

    def _of(self, notice: Notice) -> tuple[DeliveryRecord, ...]:
        return self._deps.store.deliveries.of(DeliveryKind.NOTICE, [notice.id])

    def _show(self, tx: Transaction, notice: Notice, now: datetime) -> None:
        """Tell the event stream, once."""
        shown = DeliveryRecord(
            DeliveryKind.NOTICE, notice.id, STREAM, DeliveryState.DONE, 1, now, settled_at=now
        )
        if self._deps.store.deliveries.intend(shown):
            self._tell_stream(tx, EventType.NOTIFICATION_RAISED, notice, notice.message)

    def _tell_stream(self, tx: Transaction, kind: EventType, notice: Notice, words: str) -> None:
        data = {
            "notice": notice.id,
            "channels": list(notice.sent or (STREAM,)),
            "failed": dict(notice.failed),
            "reaction": notice.reaction,
        }
        tx.emit(notice.session_id, notice.project_id, Draft(kind, words, notice.priority, data))

    def _end(self, tx: Transaction, notice: Notice, now: datetime) -> None:
        """Write down whether anything is left to try; what became of a notice is told once, when
        it is done.
        """
        deliveries = self._of(notice)
        over = not any(delivery.state.open for delivery in deliveries)
        self._deps.store.notifications.save(replace(notice, done_at=now if over else None))
        if over:
            self._waiting.pop(notice.id, None)
        if over and notice.done_at is None:
            self._tell_of_channels(tx, notice, deliveries)

    def _tell_of_channels(
        self, tx: Transaction, notice: Notice, deliveries: Collection[DeliveryRecord]
    ) -> None:
        """That it was sent is said only where a channel took it: the event stream is none, and
        neither is one that refused.
        """
        taken = any(one.state is DeliveryState.DONE and one.lane != STREAM for one in deliveries)
        lost = [
            one for one in deliveries if one.state in (DeliveryState.REFUSED, DeliveryState.FAILED)
        ]
        if taken or lost:
            kind = EventType.NOTIFICATION_SENT if taken else EventType.NOTIFICATION_FAILED
            told = self._deps.store.notifications.get(notice.id) or notice
            self._tell_stream(tx, kind, told, notice.message + (_untold(lost) if lost else ""))

    # --- told together ----------------------------------------------------------------------------

    def _fold(self) -> None:
        """Make one notice of what would be a burst on its channel, before any of it is told."""
        now = self._deps.clock.now()
        for lane, found in groupby(
            self._deps.store.deliveries.open(DeliveryKind.NOTICE), attrgetter("lane")
        ):
            due = {one.subject: one for one in found if self._may_be_folded(one, now)}
            waiting = {subject: self._notice(subject) for subject in due}
            told = {subject: notice for subject, notice in waiting.items() if notice is not None}
            if self._lanes.is_burst(lane, told, now):
                self._fold_lane(lane, due, told, now)

    def _may_be_folded(self, delivery: DeliveryRecord, now: datetime) -> bool:
        notice = self._notice(delivery.subject)
        if delivery.state is not DeliveryState.INTENDED or notice is None or notice.folds:
            return False
        return self.due(delivery, now) <= now

    def _fold_lane(
        self,
        lane: str,
        due: Mapping[str, DeliveryRecord],
        told: Mapping[str, Notice],
        now: datetime,
    ) -> None:
        """In one transaction, so that after a crash it is the same one that is told again."""
        digest = _digest(tuple(told.values()), lane, now)
        store = self._deps.store
        with store.transaction() as tx:
            store.notifications.add(digest)
            store.deliveries.intend(DeliveryRecord(DeliveryKind.NOTICE, digest.id, lane))
            for subject, notice in told.items():
                folded = delivering.settled(
                    due[subject], DeliveryState.FOLDED, now, result=digest.id
                )
                store.deliveries.settle(due[subject], folded)
                self._end(tx, notice, now)

    # --- taken back -------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Of budgets only what they say now; whatever begins anew does so at midnight."""
        budgets.settle(self._deps)
        self._midnight.set(window(BudgetPeriod.DAILY, self._deps.clock.now()).until)

    def _take_back(self) -> None:
        """See to what was told of causes that are gone; to what is just being told, after it."""
        for notice in self._deps.store.notifications.resolved():
            now, deliveries = self._deps.clock.now(), self._of(notice)
            with self._deps.store.transaction() as tx:
                for delivery in deliveries:
                    self._take_back_one(delivery, now)
                busy = any(one.state is DeliveryState.DOING for one in deliveries)
                self._end(tx, replace(notice, withdrawn_at=None if busy else now), now)

    def _take_back_one(self, delivery: DeliveryRecord, now: datetime) -> None:
        """Drop what nobody was told yet; ask a channel that told it, or may have, and can, to take
        it back.
        """
        deliveries = self._deps.store.deliveries
        told = delivery.state is DeliveryState.DONE
        if delivery.state is DeliveryState.INTENDED:
            told = delivery.attempts > 0  # what was not answered may have arrived all the same
            deliveries.settle(
                delivery, delivering.settled(delivery, DeliveryState.DROPPED, now, delivery.error)
            )
        if told and self._can_withdraw(delivery.lane):
            subject, lane = delivery.subject, delivery.lane
            deliveries.intend(DeliveryRecord(DeliveryKind.WITHDRAWAL, subject, lane))

    def _can_withdraw(self, lane: str) -> bool:
        try:
            return isinstance(self._plugin(lane), RevocableNotifier)
        except EnnioError:
            return False

    # --- what the queue asks ----------------------------------------------------------------------

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``."""
        notice = self._notice(delivery.subject)
        if notice is None:
            return delivering.due(delivery, RETRY, now)
        return self._lanes.due(delivery, notice, now)

    def _notice(self, notice_id: str) -> Notice | None:
        """One that is not done; it is read once."""
        if notice_id not in self._waiting:
            found = self._deps.store.notifications.get(notice_id)
            if found is None:
                return None
            self._waiting[notice_id] = found
        return self._waiting[notice_id]

    def deliver(self, delivery: DeliveryRecord) -> str | None:
        """Tell one channel; sent again after a doubt a notification has the same id."""
        notice = self._deps.store.notifications.get(delivery.subject)
        if notice is None:
            raise Refused("the notification is not in the store any more")
        plugin, told = self._plugin(delivery.lane), self._notification(notice)
        if getattr(plugin, "takes_answers", False):
            told = replace(told, answers=answer_links.make(self._deps, notice, delivery.lane))
        return plugin.notify(told)

    def _plugin(self, name: str) -> Notifier:
        channel = self._channel(name)
        return self._deps.plugins.notifier(channel.plugin, channel.name, channel.config)

    def _channel(self, name: str) -> NotifierConfig:
        channel = next((c for c in self._deps.config.notifiers if c.name == name), None)
        if channel is None:
            raise Refused(f"no notifier is called {name!r}; add it under notifiers:")
        return channel

    def _notification(self, notice: Notice) -> Notification:
        """The notice as channels tell it, with links to its session and pull request."""
        escalated = notice.event_type == EventType.REACTION_ESCALATED
        title = notices.title(notice.project_id, notice.reaction, escalated=escalated)
        return Notification(
            notice.id,
            notice.event_type,
            notice.priority,
            notice.session_id,
            notice.project_id,
            notice.message,
            notice.at,
            notices.title_of_many(notice.project_id, notice.folds) if notice.folds else title,
            tuple(self._links(notice)),
            notice.reaction,
        )

    def _links(self, notice: Notice) -> Iterator[NotificationAction]:
        base = notices.base(self._deps.config)
        page = notices.page(base, notice.session_id, notice.project_id, notice.reaction)
        yield NotificationAction("Open", "open", page)
        session = self._deps.store.sessions.get(notice.session_id) if notice.session_id else None
        if session is not None and (session.pr_url or "").startswith(("http://", "https://")):
            label = f"Pull request #{session.pr_number}"
            yield NotificationAction(label, "pull_request", session.pr_url or "")

    def outcome(
        self, delivery: DeliveryRecord, result: str | None, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """What becomes of it; what the channel calls it is kept."""
        after = delivering.outcome(delivery, error, RETRY, now)
        notice = self._notice(delivery.subject)
        if isinstance(error, Unreachable) and notice is not None and now >= notice.at + GIVEN_UP:
            after = delivering.settled(delivery, DeliveryState.FAILED, now, str(error))
        after = self._lanes.ended(after, error, now)
        return replace(after, result=result) if error is None else after

    def record_outcome(
        self,
        tx: Transaction,
        outcome: DeliveryRecord,
        _result: str | None,
        _error: EnnioError | None,
    ) -> None:
        """Its notice may be done with it."""
        notice = self._deps.store.notifications.get(outcome.subject)
        if notice is not None and not outcome.state.open:
            self._end(tx, notice, self._deps.clock.now())


def _untold(lost: Collection[DeliveryRecord]) -> str:
    """Which channels were given up: whoever reads the log must not take them for told."""
    (first, *_) = lost
    return f" (not told on {', '.join(one.lane for one in lost)}: {first.error})"


def _digest(told: Collection[Notice], lane: str, now: datetime) -> Notice:
    """One notice that tells of several, for one channel."""
    return Notice(
        id=str(uuid.uuid4()),
        event_type=notices.DIGEST,
        priority=max((one.priority for one in told), key=attrgetter("rank")),
        session_id=notices.common(one.session_id for one in told),
        project_id=notices.common(one.project_id for one in told),
        message=notices.together([one.message for one in told]),
        at=now,
        channels=(lane,),
        folds=len(told),
    )
