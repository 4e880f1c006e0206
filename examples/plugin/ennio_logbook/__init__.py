"""A notifier for Ennio that keeps a logbook: one line of JSON for each notification."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ennio.config.fields import SettingsSchema
from ennio.config.text_fields import PathField
from ennio.model.clock import rfc3339
from ennio.model.errors import Unreachable
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import PluginContext


@dataclass(slots=True)
class Logbook:
    """Writes each notification once, also when it is told again after a crash left it in doubt."""

    path: Path
    name: str = "logbook"
    _written: set[str] = field(default_factory=set)

    def notify(self, notification: Notification) -> None:
        """Write one line. Raises Unreachable when the file cannot be
        written; it is tried again then.
        """
        try:
            self._write(notification)
        except OSError as error:
            raise Unreachable(
                f"the logbook {self.path} cannot be written: {error.strerror}"
            ) from error

    def _write(self, notification: Notification) -> None:
        self._written = self._written or self._ids()
        if notification.id in self._written:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(_entry(notification), ensure_ascii=False) + "\n")
        self._written.add(notification.id)

    def _ids(self) -> set[str]:
        if not self.path.exists():
            return set()
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return {json.loads(line)["id"] for line in lines if line.endswith("}")}


def _entry(notification: Notification) -> dict[str, str]:
    return {
        "id": notification.id,
        "at": rfc3339(notification.timestamp),
        "priority": notification.priority.value,
        "project": notification.project_id,
        "session": notification.session_id,
        "event": notification.event_type,
        "message": notification.message,
    }


@dataclass(frozen=True, slots=True)
class LogbookSettings:
    """Where the logbook is."""

    path: Path


class LogbookSchema(SettingsSchema):
    """``config`` of ``plugin: logbook``."""

    makes = LogbookSettings
    path = PathField(
        "The file to write to", required="write the file, for example path: logbook.jsonl"
    )


@takes(LogbookSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> Logbook:
    """The channel that a configuration asks for."""
    return Logbook((context.directory or Path.cwd()) / context.settings.path.expanduser())
