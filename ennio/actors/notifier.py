"""Tells people: each notification once on each channel it is routed to, until it is told or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, NotificationDue, Ping, Wake
from ennio.config.model import NotifierConfig
from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.plugins.notifier.interface import Notification
from ennio.store import Notice

RETRY_AFTER = seconds(15.0, shortened=1.0)
MAX_ATTEMPTS = 20
STREAM = "events"
REFUSED = "refused: "


class NotifierActor(Actor):
    """Works through the notifications that are written down. The event stream is a channel of its own."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._busy = False
        self._paused: set[str] = set()

    def on_start(self) -> None:
        """Take up what was not told before."""
        self._next()

    def on_receive(self, message: Any) -> Any:
        """A notification is due, or one has been told."""
        match message:
            case NotificationDue():
                self._next()
            case Wake():
                self._paused.clear()
                self._next()
            case EffectResult(Notice() as notice, result, _):
                self._busy = False
                self._told(notice, result)
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _next(self) -> None:
        if self._busy:
            return
        notice = next((n for n in self._deps.store.notifications.pending() if n.id not in self._paused), None)
        if notice is None:
            return
        self._busy = True
        self.perform(notice, lambda: self._tell(notice))

    def channels(self, notice: Notice) -> tuple[str, ...]:
        """The channels of a notification: each once, however many routes lead to it."""
        config = self._deps.config
        routed = config.notification_routing.get(notice.reaction or "", config.defaults.notifiers)
        return (STREAM, *dict.fromkeys(routed))

    def _tell(self, notice: Notice) -> Notice:
        sent, failed = list(notice.sent), dict(notice.failed)
        for channel in self.channels(notice):
            if channel in sent or _refused(failed, channel):
                continue
            try:
                self._tell_channel(channel, notice)
            except EnnioError as error:
                failed[channel] = f"{'' if isinstance(error, Unreachable) else REFUSED}{error}"
            else:
                sent.append(channel)
                failed.pop(channel, None)
        return replace(notice, sent=tuple(sent), failed=failed, attempts=notice.attempts + 1)

    def _tell_channel(self, name: str, notice: Notice) -> None:
        if name == STREAM:
            return  # the event written when it is told is what the stream shows
        channel = self._channel(name)
        plugin = self._deps.plugins.notifier(channel.plugin, channel.name, channel.config)
        plugin.notify(
            Notification(
                notice.id, notice.event_type, notice.priority, notice.session_id, notice.project_id, notice.message, notice.at
            )
        )

    def _channel(self, name: str) -> NotifierConfig:
        channel = next((c for c in self._deps.config.notifiers if c.name == name), None)
        if channel is None:
            raise Refused(f"no notifier is called {name!r}; add it under notifiers:")
        return channel

    def _told(self, notice: Notice, told: Notice | None) -> None:
        after = told or replace(notice, attempts=notice.attempts + 1)
        channels = self.channels(after)
        waiting = [name for name in channels if name not in after.sent and not _refused(after.failed, name)]
        now = self._deps.clock.now()
        over = not waiting or after.attempts >= MAX_ATTEMPTS
        after = replace(after, channels=channels, done_at=now if over else None)
        fresh = [name for name in after.sent if name not in notice.sent]
        with self._deps.store.transaction() as tx:
            self._deps.store.notifications.save(after)
            if fresh or over:
                data = {"notice": after.id, "channels": fresh, "failed": dict(after.failed), "reaction": after.reaction}
                words = after.message + (_untold(after) if over else "")
                tx.emit(after.session_id, after.project_id, Draft(EventType.NOTIFICATION_SENT, words, after.priority, data))
        if not over:
            # a channel that does not answer keeps no other news waiting
            self._paused.add(after.id)
            self.later(RETRY_AFTER, Wake())
        self._next()


def _refused(failed: Mapping[str, str], channel: str) -> bool:
    return failed.get(channel, "").startswith(REFUSED)


def _untold(notice: Notice) -> str:
    """Which channels were given up: whoever reads the log must not take them for told."""
    lost = [name for name in notice.channels if name in notice.failed]
    return f" (not told on {', '.join(lost)}: {notice.failed[lost[0]].removeprefix(REFUSED)})" if lost else ""
