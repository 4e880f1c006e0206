"""A channel that keeps what it is told."""

from __future__ import annotations

from ennio.model.errors import EnnioError
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import PluginContext


class StubNotifier:
    """Remembers every notification in ``sent``; ``trouble`` is raised instead while it is set."""

    def __init__(self, name: str = "stub") -> None:
        self.name = name
        self.takes_answers = False
        self.trouble: EnnioError | None = None
        self.sent: list[Notification] = []
        self.withdrawn: list[str] = []

    def notify(self, notification: Notification) -> str:
        """See ``Notifier.notify``."""
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(notification)
        return f"{len(self.sent)}"

    def withdraw(self, notification: Notification, _receipt: str | None) -> None:
        """See ``Notifier.withdraw``."""
        if self.trouble is not None:
            raise self.trouble
        self.withdrawn.append(notification.id)

    def probe(self) -> str:
        """See ``Notifier.probe``."""
        if self.trouble is not None:
            raise self.trouble
        return "it keeps what it is told"


def build(context: PluginContext) -> StubNotifier:
    """A channel nobody has told anything yet."""
    return StubNotifier(context.name or "stub")
