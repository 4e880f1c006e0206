"""What people are told, and the channels it goes over."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ennio.actors import channel_health
from ennio.actors.dependencies import Dependencies
from ennio.config.model import NotifierConfig
from ennio.model.delivery import DeliveryKind
from ennio.model.errors import NotFound
from ennio.model.failpoints import failpoint
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification, NotificationAction
from ennio.policy import notices, pacing
from ennio.store.notifications import Notice

TEST = "notification_test"
WORDS = "This is a test of the channel. Nobody has to do anything."


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel: how many notices wait for it, and why it did not take the last it was told.

    ``quiet_until`` is when its quiet hours end that are just now.
    """

    name: str
    plugin: str
    waiting: int
    error: str | None
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeApi:
    """The notices of this supervisor, and its channels."""

    deps: Dependencies

    def list(self, limit: int, *, failed: bool = False) -> Sequence[Notice]:
        """What people were told, latest first; ``failed``: what some channel did not take."""
        return self.deps.store.notifications.list(limit, failed=failed)

    def channels(self) -> Sequence[ChannelView]:
        """Every channel, as the file has them."""
        deliveries = self.deps.store.deliveries
        waiting = Counter(one.lane for one in deliveries.open(DeliveryKind.NOTICE))
        troubled, now = channel_health.troubles(self.deps), self.deps.clock.now()
        return [
            ChannelView(
                one.name,
                one.plugin,
                waiting[one.name],
                troubled[one.name][1] if one.name in troubled else None,
                pacing.quiet_until(one.quiet_hours, Priority.INFO, now),
            )
            for one in self.deps.config.notifiers
        ]

    @failpoint("order.test_channel", because="told at once, and of no account: the tests of verbs")
    def test_channel(self, name: str) -> str:
        """Tell a channel a test, at once and past its limits. Raises NotFound, and what the
        channel raises.
        """
        channel = self._channel(name)
        plugin = self.deps.plugins.notifier(channel.plugin, channel.name, channel.config)
        base = notices.base(self.deps.config)
        plugin.notify(
            Notification(
                id=f"test-{uuid.uuid4()}",
                event_type=TEST,
                priority=Priority.INFO,
                session_id="",
                project_id="",
                message=WORDS,
                timestamp=self.deps.clock.now(),
                title=f"Ennio: a test of {name}",
                actions=(NotificationAction("Open", "open", f"{base}/"),),
            )
        )
        channel_health.tested(self.deps, name)
        return "told"

    def _channel(self, name: str) -> NotifierConfig:
        found = next((one for one in self.deps.config.notifiers if one.name == name), None)
        if found is None:
            names = ", ".join(one.name for one in self.deps.config.notifiers) or "none"
            raise NotFound(f"no notifier is called {name!r}; there are: {names}")
        return found
