"""The events of Ennio: what happened, how urgent, to whom; rows of one numbered log.

The format of their JSON is that of Ennio v0.1; under which subjects of NATS they are
published says ``subjects.py``.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from ennio.model.clock import rfc3339
from ennio.model.failpoints import declare
from ennio.model.session import Priority

_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_quoted = json.encoder.encode_basestring
"""A text as the encoder above writes it."""
_NO_STORY = "its transaction is one of those that are passed, and it is written like the others"


class EventType(StrEnum):
    """What happened. The first thirty are the documented ones; none is ever dropped.

    Beside the value may stand why no story of the tests tells it.
    """

    because: str

    def __new__(cls, value: str, because: str = "") -> Self:
        """See above."""
        kind = str.__new__(cls, value)
        kind._value_, kind.because = value, because
        return kind

    SESSION_SPAWNED = "session_spawned"
    SESSION_WORKING = "session_working"
    SESSION_EXITED = "session_exited"
    SESSION_KILLED = "session_killed"
    SESSION_RESTORED = "session_restored"
    SESSION_CLEANED = "session_cleaned"
    STATUS_CHANGED = "status_changed"
    ACTIVITY_CHANGED = "activity_changed"
    PR_CREATED = "pr_created"
    PR_UPDATED = "pr_updated"
    PR_MERGED = "pr_merged"
    PR_CLOSED = "pr_closed"
    CI_PASSING = "ci_passing"
    CI_FAILING = "ci_failing"
    CI_FIX_SENT = "ci_fix_sent"
    CI_FIX_FAILED = "ci_fix_failed"
    REVIEW_PENDING = "review_pending"
    REVIEW_APPROVED = "review_approved"
    REVIEW_CHANGES_REQUESTED = "review_changes_requested"
    REVIEW_COMMENTS_SENT = "review_comments_sent"
    MERGE_READY = "merge_ready"
    MERGE_CONFLICTS = "merge_conflicts", _NO_STORY
    MERGE_COMPLETED = "merge_completed"
    REACTION_TRIGGERED = "reaction_triggered"
    REACTION_ESCALATED = "reaction_escalated", _NO_STORY
    ALL_COMPLETE = "all_complete"
    NODE_CONNECTED = "node_connected", _NO_STORY
    NODE_DISCONNECTED = "node_disconnected", _NO_STORY
    NODE_LAUNCHED = "node_launched", _NO_STORY
    NODE_HEALTH_CHECK = "node_health_check", _NO_STORY
    # ours
    NODE_STEP = "node_step", _NO_STORY
    SESSION_QUEUED = "session_queued"
    SESSION_STEP = "session_step"
    SESSION_ADOPTED = "session_adopted", _NO_STORY
    MESSAGE_QUEUED = "message_queued"
    MESSAGE_DELIVERED = "message_delivered"
    MESSAGE_FAILED = "message_failed", _NO_STORY
    NOTIFICATION_RAISED = "notification_raised"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_FAILED = "notification_failed", _NO_STORY
    SIGNAL_LOST = "signal_lost", _NO_STORY
    SIGNAL_REGAINED = "signal_regained", _NO_STORY
    BASE_PUSHED = "base_pushed", _NO_STORY
    MERGE_FORCED = "merge_forced", "written before the merge that a person orders, and not after it"
    CONFIG_REFUSED = "config_refused"
    CONFIG_ACCEPTED = "config_accepted"
    PLACE_LOST = "place_lost"
    ANOMALY_DETECTED = "anomaly_detected", _NO_STORY
    DISK_LOW = "disk_low"
    DISK_FREED = "disk_freed"
    USAGE_DIFFERS = "usage_differs", _NO_STORY
    USAGE_UNKNOWN = "usage_unknown", _NO_STORY
    BUDGET_WARNING = "budget_warning"
    BUDGET_EXCEEDED = "budget_exceeded"
    BUDGET_RAISED = "budget_raised"
    BUDGET_SET = "budget_set", _NO_STORY
    SESSION_PAUSED = "session_paused"
    SESSION_RESUMED = "session_resumed"
    CONFLICT_EXPECTED = "conflict_expected", _NO_STORY
    CONFLICT_GONE = "conflict_gone", _NO_STORY
    BRANCH_CHANGED = "branch_changed", _NO_STORY
    CONTROL_TAKEN = "control_taken", _NO_STORY
    CONTROL_RETURNED = "control_returned", _NO_STORY
    ESCALATION_SEEN = "escalation_seen", _NO_STORY


for _kind in EventType:
    declare(f"told.{_kind.value}", because=_kind.because)


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def lowered(text: str) -> str:
    """The text with small ASCII letters, as every database makes them; others stay."""
    return text.translate(_LOWER)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to happen: what the decision says; the store gives it id, seq and time."""

    event_type: EventType
    message: str
    priority: Priority = Priority.INFO
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log. ``seq`` grows by one with every event, in the order of commits."""

    seq: int
    id: str
    event_type: str
    priority: Priority
    session_id: str
    project_id: str
    timestamp: datetime
    message: str
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The event as documented, with ``seq`` beside it."""
        return {
            "seq": self.seq,
            "id": self.id,
            "event_type": self.event_type,
            "priority": self.priority.value,
            "session_id": self.session_id,
            "project_id": self.project_id,
            "timestamp": rfc3339(self.timestamp),
            "message": self.message,
            "data": dict(self.data),
        }

    def encode(self) -> bytes:
        """The payload on every wire: compact JSON."""
        return payload(
            self.seq,
            self.id,
            self.event_type,
            self.priority.value,
            self.session_id,
            self.project_id,
            rfc3339(self.timestamp),
            self.message,
            _COMPACT.encode(dict(self.data)),
        )


class EncodedEvent(NamedTuple):
    """An event of the log for whoever passes it on: where it belongs, and its payload."""

    seq: int
    id: str
    event_type: str
    project_id: str
    data: Mapping[str, Any]
    payload: bytes


def payload(
    seq: int,
    event_id: str,
    event_type: str,
    priority: str,
    session_id: str,
    project_id: str,
    timestamp: str,
    message: str,
    data: str,
) -> bytes:
    """The compact JSON of ``Event.as_json``, of what it is made of: ``timestamp`` as ``rfc3339``
    writes it, ``data`` the JSON of an object, on one line.
    """
    return (
        f'{{"seq":{seq},"id":{_quoted(event_id)},"event_type":{_quoted(event_type)},'
        f'"priority":"{priority}","session_id":{_quoted(session_id)},'
        f'"project_id":{_quoted(project_id)},"timestamp":"{timestamp}",'
        f'"message":{_quoted(message)},"data":{data}}}'
    ).encode()
