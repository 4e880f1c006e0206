"""A channel that keeps what it is told."""

from __future__ import annotations

from ennio.model.errors import EnnioError
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import PluginContext


class StubNotifier:
    """Remembers every notification in ``sent``; ``trouble`` is raised instead while it is set."""

    def __init__(self, name: str = "stub") -> None:
        self.name = name
        self.trouble: EnnioError | None = None
        self.sent: list[Notification] = []

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(notification)


def build(context: PluginContext) -> StubNotifier:
    """A channel nobody has told anything yet."""
    del context
    return StubNotifier()
