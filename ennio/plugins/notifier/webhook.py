"""A POST to any address: the documented body, signed, with an id by which a
receiver drops what it had.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ennio.config.fields import SettingsSchema
from ennio.config.number_fields import BoolField, DurationField
from ennio.config.text_fields import StringField
from ennio.model.clock import Clock
from ennio.model.errors import Unreachable
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.address import HookField
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.posting import Poster
from ennio.plugins.notifier.wording import document, encoded
from ennio.plugins.registry import PluginContext

SIGNATURE, TIMESTAMP = "X-Ennio-Signature", "X-Ennio-Timestamp"
DELIVERY, EVENT = "X-Ennio-Delivery", "X-Ennio-Event"
RESOLVED = "notification_resolved"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where it is sent, what it is signed with, and whether it is told that a cause is gone."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    resolved: bool = False
    timeout: float = 10.0


class WebhookSchema(SettingsSchema):
    """``config`` of ``plugin: webhook``."""

    makes = WebhookSettings
    url = HookField("Where it is sent", "https://hooks.example.com/ennio")
    secret = StringField("What the body is signed with; left out, it is not signed")
    resolved = BoolField("Whether it is told too that the cause of a notice is gone")
    timeout = DurationField("How long it may be silent", least=0.1)


class WebhookNotifier:
    """One address."""

    def __init__(self, name: str, settings: WebhookSettings, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._poster = Poster(clock, settings.timeout)

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        self._send(notification.id, notification.event_type, encoded(document(notification)))

    def withdraw(self, notification: Notification, _receipt: str | None) -> None:
        """Tell that its cause is gone, to a receiver that wants to know: ``event_type`` says so."""
        if self._settings.resolved:
            body = document(notification) | {"event_type": RESOLVED}
            self._send(f"{notification.id}-resolved", RESOLVED, encoded(body))

    def probe(self) -> str:
        """Whether its server answers; what it does with a notice only a test of it shows."""
        url = self._settings.url
        answer = self._poster.ask("HEAD", url, b"", {})
        host = urlsplit(url).hostname
        if answer.status in (404, 410):
            raise Unreachable(
                f"{host} has nothing there ({answer.status} to HEAD), or takes POST alone: a test "
                "of it shows which"
            )
        signed = "signed" if self._settings.secret else "not signed"
        return f"{host} answers ({answer.status} to HEAD); notices to it are {signed}"

    def _send(self, delivery: str, event_type: str, body: bytes) -> None:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            DELIVERY: delivery,
            EVENT: event_type,
            TIMESTAMP: timestamp,
        }
        if self._settings.secret:
            headers[SIGNATURE] = signature(self._settings.secret, timestamp, body)
        self._poster.send("POST", self._settings.url, body, headers)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The HMAC over the timestamp, a dot and the body, as the header has it."""
    signed = timestamp.encode() + b"." + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@takes(WebhookSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> WebhookNotifier:
    """A channel to the address of the settings. Asks nobody yet."""
    return WebhookNotifier(context.name, context.settings, context.clock)
