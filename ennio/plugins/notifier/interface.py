"""The notifier slot: how a person is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ennio.model.failpoints import failpoint
from ennio.model.session import Priority


@dataclass(frozen=True, slots=True)
class Notification:
    """Something a person should know. ``id`` is the same when it is sent again after doubt."""

    id: str
    event_type: str
    priority: Priority
    session_id: str
    project_id: str
    message: str
    timestamp: datetime


class Notifier(Protocol):
    """One channel to a person."""

    name: str

    @failpoint("notifier.notify")
    def notify(self, notification: Notification) -> None:
        """Tell it. Raises Unreachable (try again) or Refused (the channel does not want it)."""
        ...
