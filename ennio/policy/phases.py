"""The life of a session as a line of phases, told by its events. Pure.

A phase begins with the event that tells of it and ends where another begins; what was told again in
the same phase is no new one. It is a story for people: nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ennio.model.events import Event, EventType
from ennio.model.session import Activity

MOST = 200
"""So many phases are told at most, the latest ones."""


@dataclass(frozen=True, slots=True)
class SessionPhase:
    """One phase: when it began and ended (null: it goes on), and the event it began with."""

    name: str
    began: datetime
    ended: datetime | None
    seq: int
    event: str
    message: str


_BEGINS: Mapping[str, str] = {
    EventType.SESSION_SPAWNED: "spawn",
    EventType.SESSION_RESTORED: "spawn",
    EventType.SESSION_WORKING: "working",
    EventType.SESSION_RESUMED: "working",
    EventType.PR_CREATED: "pr",
    EventType.CI_FAILING: "red",
    EventType.CI_FIX_FAILED: "red",
    EventType.CI_PASSING: "green",
    EventType.MERGE_CONFLICTS: "conflict",
    EventType.REVIEW_PENDING: "review",
    EventType.REVIEW_CHANGES_REQUESTED: "review",
    EventType.REVIEW_APPROVED: "ready",
    EventType.MERGE_READY: "ready",
    EventType.SESSION_PAUSED: "paused",
    EventType.SESSION_EXITED: "ended",
    EventType.SESSION_KILLED: "killed",
    EventType.PR_CLOSED: "closed",
    EventType.PR_MERGED: "merged",
}
_LAST = frozenset({"merged", "killed"})
"""A session does not go on after these."""
TYPES: tuple[str, ...] = (
    *map(str, _BEGINS),
    EventType.REACTION_TRIGGERED.value,
    EventType.ACTIVITY_CHANGED.value,
)
"""The events that a line of phases is made of."""


def phases(events: Iterable[Event]) -> tuple[SessionPhase, ...]:
    """The phases that these events tell of, which are in their order."""
    found: list[SessionPhase] = []
    for event in events:
        last = found[-1] if found else None
        if last is not None and last.name in _LAST:
            break
        name = _name(event, [one.name for one in found])
        if name is None or (last is not None and last.name == name):
            continue
        if last is not None:
            found[-1] = replace(last, ended=event.timestamp)
        over = event.timestamp if name in _LAST else None
        kind = str(event.event_type)
        found.append(SessionPhase(name, event.timestamp, over, event.seq, kind, event.message))
    return tuple(found[-MOST:])


def _name(event: Event, before: list[str]) -> str | None:
    """The phase that begins with an event; None for one that tells of none."""
    if event.event_type == EventType.REACTION_TRIGGERED:
        return "told" if event.data.get("action") == "send_to_agent" else None
    if event.event_type != EventType.ACTIVITY_CHANGED:
        return _BEGINS.get(event.event_type)
    if event.data.get("to") == Activity.WAITING_INPUT:
        return "asks"
    # an answered question leads back to where it was asked
    asked = before[-1:] == ["asks"]
    return next((name for name in reversed(before) if name != "asks"), "working") if asked else None
