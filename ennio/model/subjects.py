"""Under which subject of NATS an event is published; formats are those of Ennio v0.1.

A subject is ``ennio.<category>.<project or host>.<action>``. Its segments are letters,
digits, ``_`` and ``-``: whatever else a name holds (the dots of a host, the colons of
an address) becomes ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from ennio.model.events import EncodedEvent, Event

ROOT = "ennio"
COMMANDS = "commands"
CATEGORIES = (
    "sessions",
    "pr",
    "ci",
    "review",
    "merge",
    "reactions",
    "lifecycle",
    "node",
    "metrics",
    "dashboard",
    COMMANDS,
)
"""The documented ones; the name of an instance is none of them."""
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "pr": ("pr_created", "pr_updated", "pr_merged", "pr_closed"),
    "ci": ("ci_passing", "ci_failing", "ci_fix_sent", "ci_fix_failed"),
    "review": (
        "review_pending",
        "review_approved",
        "review_changes_requested",
        "review_comments_sent",
    ),
    "merge": (
        "merge_ready",
        "merge_conflicts",
        "merge_completed",
        "merge_forced",
        "base_pushed",
    ),
    "reactions": ("reaction_triggered", "reaction_escalated"),
    "lifecycle": ("all_complete",),
    "node": (
        "node_connected",
        "node_disconnected",
        "node_launched",
        "node_health_check",
        "node_step",
    ),
}
_CATEGORY = MappingProxyType({name: key for key, names in _MEMBERS.items() for name in names})
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


def subject(event: Event | EncodedEvent, instance: str = "") -> str:
    """The subject of an event; ``instance`` tells several supervisors on one server apart.

    Of a node it names the host. What has neither project nor host is told of the whole house:
    ``ennio.lifecycle.<action>``.
    """
    kind = str(event.event_type)
    category = _CATEGORY.get(kind, "sessions")
    owner = str(event.data.get("host") or "") if category == "node" else event.project_id
    return _subject(category, kind, owner, instance)


@lru_cache(maxsize=1024)
def _subject(category: str, kind: str, owner: str, instance: str) -> str:
    if category == "lifecycle" or not owner:
        return of_house("lifecycle", kind, instance)
    action = kind.removeprefix("session_") if category == "sessions" else kind.partition("_")[2]
    return ".".join((*_root(instance), category, segment(owner), segment(action)))


def of_house(category: str, action: str, instance: str = "") -> str:
    """A subject without project: ``ennio.metrics.session``, ``ennio.commands.stop``."""
    return ".".join((*_root(instance), category, segment(action)))


def pattern(category: str, instance: str = "") -> str:
    """What a subscriber to a whole category asks for."""
    return ".".join((*_root(instance), category, ">"))


def commands(instance: str = "") -> str:
    """What whoever takes orders listens to."""
    return ".".join((*_root(instance), COMMANDS, "*"))


def segment(name: str) -> str:
    """A name as a part of a subject."""
    return _ILLEGAL.sub("_", name) or "_"


def _root(instance: str) -> tuple[str, ...]:
    return (ROOT, segment(instance)) if instance else (ROOT,)
