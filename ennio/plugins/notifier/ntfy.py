"""ntfy: a message on a topic, with its priority and buttons that lead to the session."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError

from ennio.config.fields import Json, SettingsSchema
from ennio.config.number_fields import DurationField
from ennio.config.text_fields import StringField, TokenField
from ennio.machine.untrusted import json_value
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Refused
from ennio.model.printable import one_line
from ennio.model.session import Priority
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.interface import (
    Notification,
    NotificationAction,
    NotificationAnswer,
)
from ennio.plugins.notifier.posting import Poster, judged
from ennio.plugins.notifier.wording import encoded, shortened, title, words
from ennio.plugins.registry import PluginContext
from ennio.plugins.web import HttpResponse
from ennio.plugins.web.fields import ApiAddressField

PUBLIC = "https://ntfy.sh"
_PRIORITY = {Priority.INFO: 2, Priority.ACTION: 3, Priority.URGENT: 4, Priority.CRITICAL: 5}
_TAG = {
    Priority.INFO: "information_source",
    Priority.ACTION: "wave",
    Priority.URGENT: "warning",
    Priority.CRITICAL: "rotating_light",
}
_MESSAGE, _TITLE, _BUTTONS, _LABEL = 3900, 200, 3, 40
"""Of a message beyond 4,096 bytes ntfy makes a file; it has three buttons at most."""
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}\Z")
_SEQUENCE = re.compile(r"[^-_A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class NtfySettings:
    """The server, the topic, which whoever knows it can read, and the token where it wants one."""

    topic: str = field(repr=False)
    url: str = PUBLIC
    token: str | None = field(default=None, repr=False)
    timeout: float = 10.0


class TopicField(StringField):
    """The name of a topic; it is a secret where the server asks for none."""

    def judged(self, text: str) -> str:
        """The name, when ntfy takes it."""
        if not _TOPIC.match(text):
            raise ValidationError("the value is no topic: 1 to 64 letters, digits, `_` or `-`")
        return text

    def json(self) -> Json:
        """The pattern of topics, or a variable."""
        return {"type": "string", "pattern": r"^[-_A-Za-z0-9]{1,64}$|\$\{"}


class NtfySchema(SettingsSchema):
    """``config`` of ``plugin: ntfy``."""

    makes = NtfySettings
    topic = TopicField("The topic; on a server without access control nobody should guess it",
                       required="write a topic that nobody guesses")  # fmt: skip
    url = ApiAddressField("Where the server is", PUBLIC)
    token = TokenField("The access token, where the topic wants one", none=True)
    timeout = DurationField("How long it may be silent", least=0.1)


class NtfyNotifier:
    """One topic. A message has the notice's id as its sequence: told again it replaces itself."""

    def __init__(self, name: str, settings: NtfySettings, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._poster = Poster(clock, settings.timeout)

    @property
    def takes_answers(self) -> bool:
        """See ``AnsweringNotifier``: whoever reads a topic could press its buttons."""
        return self._settings.token is not None

    def notify(self, notification: Notification) -> str:
        """See ``Notifier.notify``."""
        sequence = sequence_of(notification.id)
        body = message(notification, self._settings.topic)
        headers = self._headers() | {"X-Sequence-ID": sequence}
        answer = self._poster.ask("POST", f"{self._settings.url}/", encoded(body), headers)
        if (problem := self._judged(answer)) is not None:
            raise problem
        return sequence

    def withdraw(self, notification: Notification, _receipt: str | None) -> None:
        """Take it off the phones; a server before 2.16 cannot, and says that there is nothing."""
        where = f"{self._settings.url}/{self._settings.topic}/{sequence_of(notification.id)}"
        answer = self._poster.ask("DELETE", where, b"", self._headers())
        problem = self._judged(answer)
        if problem is not None and answer.status not in (400, 404, 405):
            raise problem

    def probe(self) -> str:
        """Whether the server is well and lets us write to the topic; nothing is published."""
        where = f"{self._settings.url}/{self._settings.topic}/auth"
        answer = self._poster.ask("GET", where, b"", self._headers())
        problem = self._judged(answer)
        if problem is not None:
            raise problem
        if not _is_success(answer):
            raise Refused(f"{self._host} answers, but not as ntfy does")
        return f"{self._host} lets us use the topic"

    def _judged(self, answer: HttpResponse) -> EnnioError | None:
        if answer.status in (401, 403):
            return Refused(f"{self._host} does not let us use the topic: set its access token")
        return judged(answer, self._host, self._clock.now())

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).hostname or "ntfy"

    def _headers(self) -> dict[str, str]:
        token = self._settings.token
        return {"Authorization": f"Bearer {token}"} if token else {}


def message(notification: Notification, topic: str) -> dict[str, Any]:
    """What is published."""
    found: dict[str, Any] = {
        "topic": topic,
        "title": shortened(title(notification), _TITLE),
        "message": _cut(words(notification)) or "(no words)",
        "priority": _PRIORITY[notification.priority],
        "tags": [_TAG[notification.priority]],
        "sequence_id": sequence_of(notification.id),
        "actions": [*map(_answer, notification.answers), *map(_view, notification.actions)][
            :_BUTTONS
        ],
    }
    return found | ({"click": notification.url} if notification.url else {})


def _view(action: NotificationAction) -> dict[str, Any]:
    return {"action": "view", "label": action.label, "url": action.url, "clear": True}


def _answer(answer: NotificationAnswer) -> dict[str, Any]:
    """A button by which the phone itself asks; the link is in no address, so no log has it."""
    return {
        "action": "http",
        "label": shortened(one_line(answer.label), _LABEL),
        "url": answer.url,
        "method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"link": answer.link}),
        "clear": True,
    }


def sequence_of(notice_id: str) -> str:
    """The id of a notice, as ntfy takes it."""
    return _SEQUENCE.sub("-", notice_id)[:64]


def _cut(text: str) -> str:
    """The text in so many bytes as stay a message."""
    raw = text.strip().encode("utf-8", errors="replace")
    if len(raw) <= _MESSAGE:
        return text.strip()
    return raw[:_MESSAGE].decode("utf-8", errors="ignore") + "\N{HORIZONTAL ELLIPSIS}"


def _is_success(answer: HttpResponse) -> bool:
    try:
        found = json_value(answer.raw)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("success") is True


@takes(NtfySchema, OF_NOTIFIERS)
def build(context: PluginContext) -> NtfyNotifier:
    """A channel to the topic of the settings. Asks nobody yet."""
    return NtfyNotifier(context.name, context.settings, context.clock)
