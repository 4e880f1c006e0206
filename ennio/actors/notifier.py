"""Tells people: each notification once on each channel it is routed to,
until it is told or refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.messages import EffectResult, NotificationDue, Ping, Wake
from ennio.config.model import NotifierConfig
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.plugins.notifier.interface import Notification, NotificationAction, Notifier
from ennio.policy import delivering, notices
from ennio.store import Notice, Transaction

RETRY = delivering.Retry(first=seconds(15.0, shortened=1.0), attempts=20)
STREAM = "events"


class NotifierActor(Actor):
    """Routes the notifications that are written down, and tells them, one lane for each channel.

    The event stream is a channel of its own, which waits for no other: the event written when a
    notification is routed is what it shows.
    """

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._queue = DurableQueue(self, deps, DeliveryKind.NOTICE, self)

    def on_start(self) -> None:
        """Take up what was not told before, over the channels there are now."""
        self._route(self._deps.store.notifications.pending())
        self._queue.start()

    def on_stop(self) -> None:
        """No more tries."""
        self._queue.stop()

    def on_receive(self, message: Any) -> Any:
        """A notification is due, or one has been told."""
        match message:
            case NotificationDue():
                self._route(self._deps.store.notifications.unrouted())
                self._queue.next()
            case Wake():
                self._queue.next()
            case EffectResult(DeliveryRecord() as delivery, result, error):
                self._queue.ended(delivery, result, error)
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

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
        for delivery in self._deps.store.deliveries.of(DeliveryKind.NOTICE, [notice.id]):
            if delivery.state.open and delivery.lane not in channels:
                dropped = delivering.settled(delivery, DeliveryState.DROPPED, now, delivery.error)
                self._deps.store.deliveries.settle(delivery, dropped)

    def _show(self, tx: Transaction, notice: Notice, now: datetime) -> None:
        """Tell the event stream, once."""
        shown = DeliveryRecord(
            DeliveryKind.NOTICE, notice.id, STREAM, DeliveryState.DONE, 1, now, settled_at=now
        )
        if self._deps.store.deliveries.intend(shown):
            self._tell_stream(tx, notice, notice.message)

    def _tell_stream(self, tx: Transaction, notice: Notice, words: str) -> None:
        data = {
            "notice": notice.id,
            "channels": list(notice.sent or (STREAM,)),
            "failed": dict(notice.failed),
            "reaction": notice.reaction,
        }
        draft = Draft(EventType.NOTIFICATION_SENT, words, notice.priority, data)
        tx.emit(notice.session_id, notice.project_id, draft)

    def _end(self, tx: Transaction, notice: Notice, now: datetime) -> None:
        """Write down whether anything is left to try; a notice that is done says
        which channels were given up.
        """
        deliveries = self._deps.store.deliveries.of(DeliveryKind.NOTICE, [notice.id])
        over = not any(delivery.state.open for delivery in deliveries)
        self._deps.store.notifications.save(replace(notice, done_at=now if over else None))
        lost = [
            one for one in deliveries if one.state in (DeliveryState.REFUSED, DeliveryState.FAILED)
        ]
        if over and lost:
            told = self._deps.store.notifications.get(notice.id) or notice
            self._tell_stream(tx, told, notice.message + _untold(lost))

    # --- what the queue asks ----------------------------------------------------------------------

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``."""
        return delivering.due(delivery, RETRY, now)

    def deliver(self, delivery: DeliveryRecord) -> str | None:
        """Tell one channel; sent again after a doubt a notification has the same id."""
        notice = self._deps.store.notifications.get(delivery.subject)
        if notice is None:
            raise Refused("the notification is not in the store any more")
        channel = self._channel(delivery.lane)
        return self._plugin(channel).notify(self._notification(notice))

    def _plugin(self, channel: NotifierConfig) -> Notifier:
        return self._deps.plugins.notifier(channel.plugin, channel.name, channel.config)

    def _notification(self, notice: Notice) -> Notification:
        """The notice as channels tell it, with links to its session and pull request."""
        escalated = notice.event_type == EventType.REACTION_ESCALATED
        return Notification(
            notice.id,
            notice.event_type,
            notice.priority,
            notice.session_id,
            notice.project_id,
            notice.message,
            notice.at,
            notices.title(notice.project_id, notice.reaction, escalated=escalated),
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

    def _channel(self, name: str) -> NotifierConfig:
        channel = next((c for c in self._deps.config.notifiers if c.name == name), None)
        if channel is None:
            raise Refused(f"no notifier is called {name!r}; add it under notifiers:")
        return channel

    def outcome(
        self, delivery: DeliveryRecord, result: str | None, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """What becomes of it; what the channel calls it is kept."""
        after = delivering.outcome(delivery, error, RETRY, now)
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
