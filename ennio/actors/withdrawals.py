"""Takes back what was told, once its cause is gone, on the channels that can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.errors import EnnioError, Refused
from ennio.model.failpoints import seconds
from ennio.plugins.notifier.interface import Notification, Notifier, RevocableNotifier
from ennio.policy import delivering
from ennio.store import Notice, Transaction

RETRY = delivering.Retry(first=seconds(15.0, shortened=1.0), factor=2.0, attempts=5)


class Withdrawals:
    """What is done about deliveries of this kind; see ``DeliveryWork``."""

    def __init__(
        self,
        deps: Dependencies,
        plugin: Callable[[str], Notifier],
        worded: Callable[[Notice], Notification],
    ) -> None:
        self._deps = deps
        self._plugin = plugin
        self._worded = worded

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``."""
        return delivering.due(delivery, RETRY, now)

    def deliver(self, delivery: DeliveryRecord) -> None:
        """Take it back by what the channel called it."""
        deliveries = self._deps.store.deliveries
        told = deliveries.get(DeliveryKind.NOTICE, delivery.subject, delivery.lane)
        notice = self._deps.store.notifications.get(delivery.subject)
        if told is None or notice is None:
            raise Refused("the notification is not in the store any more")
        channel = self._plugin(delivery.lane)
        if not isinstance(channel, RevocableNotifier):  # another plugin goes by its name since then
            raise Refused(f"{delivery.lane} takes nothing back")
        channel.withdraw(self._worded(notice), told.result)

    def outcome(
        self, delivery: DeliveryRecord, _result: None, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """See ``DeliveryWork``."""
        return delivering.outcome(delivery, error, RETRY, now)

    def record_outcome(
        self, tx: Transaction, outcome: DeliveryRecord, result: Any, error: EnnioError | None
    ) -> None:
        """Nothing else is written with it."""
