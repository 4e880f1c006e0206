"""The nouns everybody shares: sessions, their states, handles and usage.

All values are frozen. Enums are snake_case strings on every wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from ennio.model.shape import INTERNAL, wire
from ennio.model.usage import UsageSource

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
NOTHING: Mapping[str, str] = MappingProxyType({})


class SessionStatus(StrEnum):
    """Where a session stands between its first prompt and its merged pull request."""

    SPAWNING = "spawning"
    WORKING = "working"
    PR_DRAFT = "pr_draft"
    PR_OPEN = "pr_open"
    CI_PASSING = "ci_passing"
    CI_FAILED = "ci_failed"
    CI_FIX_SENT = "ci_fix_sent"
    CI_FIX_FAILED = "ci_fix_failed"
    REVIEW_PENDING = "review_pending"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    MERGE_CONFLICTS = "merge_conflicts"
    MERGED = "merged"
    DONE = "done"
    EXITED = "exited"
    KILLED = "killed"

    @property
    def terminal(self) -> bool:
        """True for a state no session leaves again (but merged becomes done once cleaned)."""
        return self in (SessionStatus.MERGED, SessionStatus.DONE, SessionStatus.KILLED)


class Activity(StrEnum):
    """What the agent's process is doing, independent of the session's status."""

    ACTIVE = "active"
    READY = "ready"
    IDLE = "idle"
    WAITING_INPUT = "waiting_input"
    BLOCKED = "blocked"
    EXITED = "exited"

    @property
    def in_turn(self) -> bool:
        """Whether the agent is in the middle of a turn: at work, or asking before it goes on."""
        return self in (Activity.ACTIVE, Activity.WAITING_INPUT)


class Priority(StrEnum):
    """How soon a person should look; ordered info < action < urgent < critical."""

    INFO = "info"
    ACTION = "action"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 3 for critical."""
        return tuple(Priority).index(self)


@dataclass(frozen=True, slots=True)
class RuntimeHandle:
    """What finds a running agent again: the runtime's name for it and what else it needs."""

    id: str
    runtime_name: str
    data: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money an agent has used so far; money is None where nobody knows it.

    ``unpriced`` requests are in the tokens and not in the money: that is then the known
    part. ``listed_usd`` is the part of the money that a plan gave: its list price,
    which nobody is billed for. ``source`` is who computed the money of the latest request.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    model: str | None = None
    unpriced: int = 0
    listed_usd: Decimal | None = None
    source: UsageSource = UsageSource.LOCAL


@dataclass(frozen=True, slots=True)
class Session:
    """One agent working on one task in one workspace, as the store knows it.

    ``reason`` is one sentence on why the status is what it is; ``outcome`` tells a done
    session's end (``merged``, ``closed``, ``finished``); ``last_activity_at`` is the agent's own.
    ``host`` is the machine it is on, empty for the supervisor's own.
    ``no_signal`` says of what there has been no signal since ``no_signal_since``, and why.
    ``paused`` is why a budget keeps it from going on since ``paused_since``, and what lets it.
    """

    id: str
    project_id: str
    status: SessionStatus
    created_at: datetime
    last_activity_at: datetime
    config_hash: str = field(metadata=INTERNAL)
    activity: Activity | None = None
    branch: str | None = None
    base: str | None = None
    issue_id: str | None = None
    prompt: str | None = None
    workspace_path: str | None = None
    workspace_name: str | None = field(default=None, metadata=wire("workspace"))
    runtime_handle: RuntimeHandle | None = field(default=None, metadata=INTERNAL)
    runtime_name: str | None = field(default=None, metadata=wire("runtime"))
    usage: Usage | None = None
    summary: str | None = None
    agent_name: str | None = None
    pr_url: str | None = None
    pr_number: int | None = None
    tmux_name: str | None = None
    role: str | None = None
    priority: int = 0
    reason: str | None = None
    outcome: str | None = None
    no_signal_since: datetime | None = None
    no_signal: str | None = None
    restored_at: datetime | None = None
    archived_at: datetime | None = None
    host: str = ""
    paused_since: datetime | None = None
    paused: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, metadata=INTERNAL)


def derive_project_id(name: str) -> str:
    """The id of a project that names none: lower-cased, runs of other
    characters turned to ``-``.
    """
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")


def derive_prefix(project_id: str) -> str:
    """The session prefix of a project: first letters of its parts, or its first three letters."""
    parts = [part for part in project_id.split("-") if part]
    return "".join(part[0] for part in parts) if len(parts) > 1 else project_id[:3]
