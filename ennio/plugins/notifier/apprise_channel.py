"""Whatever Apprise can tell: by a process of its own, which is given the URL on standard input."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from marshmallow import ValidationError

from ennio.config.fields import Json, SettingsSchema
from ennio.config.number_fields import DurationField
from ennio.config.text_fields import StringField
from ennio.machine.inherited import inherited
from ennio.machine.installation import adding
from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Priority
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.child import run_child
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.wording import shortened, title, words
from ennio.plugins.registry import PluginContext

_CHILD = Path(__file__).with_name("apprise_child.py")
_KIND = {
    Priority.INFO: "info",
    Priority.ACTION: "info",
    Priority.URGENT: "warning",
    Priority.CRITICAL: "failure",
}
_LONGEST = 10_000
NOT_TOLD, NOT_UNDERSTOOD = 3, 4
_MISSING = f"apprise is not installed: {adding('apprise')}"


@dataclass(frozen=True, slots=True)
class AppriseSettings:
    """One URL of Apprise, which is a secret."""

    url: str = field(repr=False)
    timeout: float = 30.0


class AppriseUrlField(StringField):
    """A URL of Apprise; nothing of it is shown."""

    kind = "URL"

    def judged(self, text: str) -> str:
        """The URL, when it has a scheme; which there are, Apprise knows."""
        scheme, mark, rest = text.strip().partition("://")
        if not mark or not scheme.isalnum() or not rest:
            raise ValidationError("the value is no URL of Apprise, such as mailto://...")
        return text.strip()

    def json(self) -> Json:
        """A URL, or a variable."""
        return {"type": "string", "pattern": r"^\s*[A-Za-z0-9]+://\S|\$\{"}


class AppriseSchema(SettingsSchema):
    """``config`` of ``plugin: apprise``."""

    makes = AppriseSettings
    url = AppriseUrlField("One URL of Apprise", required="write one, such as mailto://...")
    timeout = DurationField("How long it may take; then it is ended", least=0.1)


class AppriseNotifier:
    """One URL. Apprise tells nothing of ids: after doubt a message may be there twice."""

    def __init__(self, name: str, settings: AppriseSettings) -> None:
        self.name = name
        self._settings = settings

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        lines = [shortened(words(notification), _LONGEST), *(f"{one.label}: {one.url}"
                 for one in notification.actions)]  # fmt: skip
        told = {
            "title": title(notification),
            "body": "\n".join(lines).strip() or "(no words)",
            "type": _KIND[notification.priority],
        }
        code = self._run(told)
        if code == NOT_TOLD:
            raise Unreachable("apprise could not tell it")

    def probe(self) -> str:
        """Whether Apprise is there and understands the URL; nobody is told."""
        self._run({})
        return "apprise understands the URL; whether it arrives only a test of it shows"

    def _run(self, told: dict[str, str]) -> int:
        if importlib.util.find_spec("apprise") is None:
            raise Refused(_MISSING)
        given = json.dumps({"url": self._settings.url, **told}).encode()
        argv = [sys.executable, "-P", str(_CHILD)]
        env = {"PATH": os.defpath, **inherited(os.environ), "PYTHONIOENCODING": "utf-8"}
        code = run_child(argv, given, env, self._settings.timeout).code
        if code == NOT_UNDERSTOOD:
            raise Refused("apprise does not understand the URL: see its list of services")
        if code not in (0, NOT_TOLD):
            raise Unreachable(f"apprise ended with {code}")
        return code


@takes(AppriseSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> AppriseNotifier:
    """A channel to the URL of the settings. Asks nobody yet."""
    return AppriseNotifier(context.name, context.settings)
