"""How a notification looks on every channel: its title, the sign of its
priority, its JSON. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.printable import one_line, printable
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification

EMOJI: Mapping[Priority, str] = MappingProxyType(
    {
        Priority.INFO: "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}",
        Priority.ACTION: "\N{WAVING HAND SIGN}",
        Priority.URGENT: "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
        Priority.CRITICAL: "\N{POLICE CARS REVOLVING LIGHT}",
    }
)


def title(notification: Notification) -> str:
    """What it is about, in one line."""
    return one_line(notification.title or f"{notification.project_id}: {notification.event_type}")


def words(notification: Notification) -> str:
    """What a person reads; nothing in it steers what shows it."""
    return printable(notification.message)


def shortened(text: str, most: int) -> str:
    """The text, cut with a mark where it is longer than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def document(notification: Notification) -> dict[str, Any]:
    """The documented body: the six fields of v0.1 and ``actions``, with ours beside them."""
    return {
        "event_type": notification.event_type,
        "priority": notification.priority.value,
        "session_id": notification.session_id,
        "project_id": notification.project_id,
        "message": notification.message,
        "timestamp": rfc3339(notification.timestamp),
        "actions": [
            {"label": one.label, "action": one.action, "url": one.url}
            for one in notification.actions
        ],
        "id": notification.id,
        "title": title(notification),
        "url": notification.url,
        "reaction": notification.reaction,
    }


def encoded(document: Mapping[str, Any]) -> bytes:
    """JSON as it is sent; half a surrogate pair, as agents' texts may hold,
    becomes a question mark.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")
