"""A session as one row of a list: what a face shows of it, without prompts and without nulls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from ennio.actors.orchestrator.session_view import (
    CheckCounts,
    QueuePlace,
    SessionCost,
    SessionView,
    WaitingMessage,
)
from ennio.model.changes import DiffStat
from ennio.model.conflicts import ConflictWith
from ennio.model.plan_window import PlanWindow
from ennio.model.pulls import ReviewState
from ennio.model.session import Activity, SessionStatus
from ennio.model.shape import SOMETIMES, wire_fields
from ennio.policy.turn_inputs import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """What a row has of a session; what may be missing is null, or empty, where it is."""

    id: str
    project_id: str
    status: SessionStatus
    title: str
    turn: Turn
    word: str
    rule: str
    turn_why: str
    turn_since: datetime
    wants: tuple[str, ...]
    created_at: datetime
    last_activity_at: datetime
    activity: Activity = field(metadata=SOMETIMES)
    agent_name: str = field(metadata=SOMETIMES)
    branch: str = field(metadata=SOMETIMES)
    issue_id: str = field(metadata=SOMETIMES)
    pr_number: int = field(metadata=SOMETIMES)
    pr_url: str = field(metadata=SOMETIMES)
    reason: str = field(metadata=SOMETIMES)
    outcome: str = field(metadata=SOMETIMES)
    host: str = field(metadata=SOMETIMES)
    role: str = field(metadata=SOMETIMES)
    isolation: str = field(metadata=SOMETIMES)
    shared_by: str = field(metadata=SOMETIMES)
    question: str = field(metadata=SOMETIMES)
    options: tuple[str, ...] = field(metadata=SOMETIMES)
    detail: str = field(metadata=SOMETIMES)
    helpers: int = field(metadata=SOMETIMES)
    queued: QueuePlace = field(metadata=SOMETIMES)
    message_waits: WaitingMessage = field(metadata=SOMETIMES)
    paused: str = field(metadata=SOMETIMES)
    paused_since: datetime = field(metadata=SOMETIMES)
    no_signal: str = field(metadata=SOMETIMES)
    no_signal_since: datetime = field(metadata=SOMETIMES)
    silent_since: datetime = field(metadata=SOMETIMES)
    signal_at: datetime = field(metadata=SOMETIMES)
    checks: CheckCounts = field(metadata=SOMETIMES)
    review: ReviewState = field(metadata=SOMETIMES)
    diff: DiffStat = field(metadata=SOMETIMES)
    cost: SessionCost = field(metadata=SOMETIMES)
    windows: tuple[PlanWindow, ...] = field(metadata=SOMETIMES)
    conflicts: tuple[ConflictWith, ...] = field(metadata=SOMETIMES)
    archived_at: datetime = field(metadata=SOMETIMES)


_FIELDS = tuple((each.name, each.optional) for each in wire_fields(SessionRow))
_read = attrgetter(*(name for name, _ in _FIELDS))
_EMPTY: tuple[Any, ...] = (None, "", (), 0)


def row_of(view: SessionView) -> dict[str, Any]:
    """The row of a session."""
    return {
        name: value
        for (name, optional), value in zip(_FIELDS, _read(view), strict=True)
        if not (optional and value in _EMPTY)
    }
