"""Slack's incoming webhooks: a message in blocks, with buttons that lead to the session."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ennio.config.fields import SettingsSchema
from ennio.config.number_fields import DurationField
from ennio.model.clock import Clock
from ennio.model.errors import Refused
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.address import HookField
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.posting import Poster, judged
from ennio.plugins.notifier.wording import EMOJI, encoded, shortened, title, words
from ennio.plugins.registry import PluginContext
from ennio.plugins.web import HttpResponse

_SECTION, _HEADER, _BUTTON, _ADDRESS, _BUTTONS = 3000, 150, 75, 3000, 5
"""What Slack takes at most, in characters: of a section, a header, a button, its URL; buttons."""
_ALIVE = ("no_text", "invalid_payload", "missing_text_or_fallback_or_attachments")
"""What a webhook that works answers to a message without words."""
_MEND = "make a new incoming webhook for the channel, and set it as webhook_url"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """The webhook, which is a secret."""

    webhook_url: str = field(repr=False)
    timeout: float = 10.0


class SlackSchema(SettingsSchema):
    """``config`` of ``plugin: slack``."""

    makes = SlackSettings
    webhook_url = HookField("The incoming webhook", "https://hooks.slack.com/services/T0/B0/XX")
    timeout = DurationField("How long Slack may be silent", least=0.1)


class SlackNotifier:
    """One webhook. Slack knows no id of a message: after doubt it may be there twice."""

    def __init__(self, name: str, settings: SlackSettings, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._poster = Poster(clock, settings.timeout)

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        answer = self._ask(encoded(payload(notification)))
        problem = judged(answer, self._host, self._clock.now())
        if isinstance(problem, Refused) and 400 <= answer.status < 500:
            raise Refused(f"{self._host} refused it ({answer.status}{_said(answer)}): {_MEND}")
        if problem is not None:
            raise problem

    def probe(self) -> str:
        """Whether the webhook is one: a message without words is shown to nobody."""
        answer = self._ask(b"{}")
        if answer.status == 400 and _said(answer).removeprefix(" ") in _ALIVE:
            return f"{self._host} knows the webhook"
        problem = judged(answer, self._host, self._clock.now())
        if problem is None or not isinstance(problem, Refused):
            raise problem or Refused(f"{self._host} answers, but not as Slack does")
        raise Refused(f"{self._host} does not know it ({answer.status}{_said(answer)}): {_MEND}")

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.webhook_url).hostname or "Slack"

    def _ask(self, body: bytes) -> HttpResponse:
        headers = {"Content-Type": "application/json"}
        return self._poster.ask("POST", self._settings.webhook_url, body, headers)


def payload(notification: Notification) -> dict[str, Any]:
    """The message: blocks within Slack's limits, and the text for where none are shown."""
    sign = EMOJI[notification.priority]
    head = f"{sign} {title(notification)}"
    section = escaped(words(notification), _SECTION) or "(no words)"
    where = " · ".join(filter(None, (notification.project_id, notification.session_id)))
    small = escaped(" · ".join(filter(None, (notification.priority.value, where))), _SECTION)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(head, _HEADER)},
        {"type": "section", "text": {"type": "mrkdwn", "text": section}},
    ]
    if buttons := _buttons(notification):
        blocks.append({"type": "actions", "elements": buttons})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": small}]})
    text = escaped(f"{head}\n{words(notification)}", _SECTION)
    return {"text": text, "blocks": blocks}


def _buttons(notification: Notification) -> list[dict[str, Any]]:
    return [
        {
            "type": "button",
            "text": _plain(one.label, _BUTTON),
            "url": one.url,
            "action_id": f"{one.action}-{number}",
        }
        for number, one in enumerate(notification.actions[:_BUTTONS])
        if len(one.url) <= _ADDRESS
    ]


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": shortened(text, most), "emoji": True}


def escaped(text: str, most: int) -> str:
    """The text as mrkdwn takes it for words, no longer than ``most`` when it is escaped."""
    signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    pieces: list[str] = []
    left = most - 1
    for letter in text.strip():
        piece = signs.get(letter, letter)
        left -= len(piece)
        if left < 0:
            return "".join(pieces) + "\N{HORIZONTAL ELLIPSIS}"
        pieces.append(piece)
    return "".join(pieces)


def _said(answer: HttpResponse) -> str:
    """Slack's word for what is wrong, which holds no secret; anything else is not repeated."""
    text = answer.raw[:100].decode("ascii", errors="replace").strip()
    return f" {text}" if re.fullmatch(r"[a-z_]{3,60}", text) else ""


@takes(SlackSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> SlackNotifier:
    """A channel to the webhook of the settings. Asks nobody yet."""
    return SlackNotifier(context.name, context.settings, context.clock)
