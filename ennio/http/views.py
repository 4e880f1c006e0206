"""How values of the house look as JSON: enums as their word, times as RFC 3339, money as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from ennio.config.model import Project
from ennio.model.clock import rfc3339
from ennio.model.facts import AgentSeen
from ennio.model.message import Message
from ennio.model.pulls import PullRequest
from ennio.model.session import Session, Usage
from ennio.store import Store, Waiting


def plain(value: Any) -> Any:
    """Any frozen value as JSON can hold it; a dataclass becomes an object with its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return rfc3339(value)
        case Decimal() | PurePath():
            return str(value)
        case _:
            return value


def session_views(store: Store, sessions: Iterable[Session]) -> list[dict[str, Any]]:
    """Sessions with what is known of them besides: the agent's question, their place in the queue, the message that waits."""
    line = {waiting.session_id: (place, waiting) for place, waiting in enumerate(store.queue.list(), start=1)}
    asked = list(sessions)
    # one question for all of them where there are many
    agents = store.facts.agents() if len(asked) > 1 else {session.id: store.facts.get(session.id).agent for session in asked}
    mail = store.messages.waiting() if len(asked) > 1 else {one.id: next(iter(store.messages.pending(one.id)), None) for one in asked}
    return [_session(session, line.get(session.id), agents.get(session.id), mail.get(session.id)) for session in asked]


def session_view(store: Store, session: Session) -> dict[str, Any]:
    """One session; ``status_since`` is when its status was decided, ``metrics`` how it went."""
    evidence = store.evidence.latest(session.id)
    since = evidence.at if evidence is not None and evidence.status is session.status else None
    return session_views(store, [session])[0] | {"status_since": plain(since), "metrics": _metrics(store, session.id)}


def _metrics(store: Store, session_id: str) -> dict[str, Any]:
    """The session's numbers; durations are seconds from its spawn, null until it has come so far."""
    found: dict[str, Any] = plain(store.metrics.get(session_id))
    return {name: value for name, value in found.items() if name not in ("session_id", "updated_at")}


def _session(session: Session, place: tuple[int, Waiting] | None, agent: AgentSeen | None, message: Message | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "project_id": session.project_id,
        "status": session.status.value,
        "activity": plain(session.activity),
        "branch": session.branch,
        "pr_url": session.pr_url,
        "pr_number": session.pr_number,
        "agent_name": session.agent_name,
        "created_at": rfc3339(session.created_at),
        "last_activity_at": rfc3339(session.last_activity_at),
        "reason": session.reason,
        "outcome": session.outcome,
        "issue_id": session.issue_id,
        "prompt": session.prompt,
        "summary": session.summary,
        "base": session.base,
        "workspace_path": session.workspace_path,
        "workspace": session.workspace_name,
        "runtime": session.runtime_name,
        "tmux_name": session.tmux_name,
        "role": session.role,
        "priority": session.priority,
        "no_signal_since": plain(session.no_signal_since),
        "no_signal": session.no_signal,
        "usage": _usage(session.usage),
        "queued": _queued(place),
        "message_waits": None if message is None else {"since": plain(message.created_at), "reason": message.detail},
        **_told(session, agent),
        "restored_at": plain(session.restored_at),
        "archived_at": plain(session.archived_at),
    }


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    return None if usage is None else plain(usage)


def _queued(place: tuple[int, Waiting] | None) -> dict[str, Any] | None:
    return None if place is None else {"position": place[0], "reason": place[1].reason, "held": place[1].held}


def _told(session: Session, agent: AgentSeen | None) -> dict[str, Any]:
    """What its agent asks, what else it says of what it does, and since when neither it nor its screen says anything."""
    if agent is None or session.status.terminal:
        return {"question": None, "detail": None, "helpers": 0, "silent_since": None}
    told = {"question": agent.question, "detail": agent.detail or None, "helpers": agent.helpers}
    return {**told, "silent_since": plain(agent.silent_since)}


def waiting_views(line: Iterable[Waiting]) -> list[dict[str, Any]]:
    """The queue in its order; ``position`` counts from 1 over the whole queue."""
    return [plain(waiting) | {"position": place} for place, waiting in enumerate(line, start=1)]


def project_view(project: Project, live: int) -> dict[str, Any]:
    """A project without anything secret; ``sessions`` counts those that have not ended."""
    return {
        "id": project.id,
        "name": project.name,
        "repo": _without_login(project.repo),
        "path": str(project.path),
        "default_branch": project.default_branch,
        "session_prefix": project.session_prefix,
        "runtime": project.runtime,
        "agent": project.agent,
        "workspace": project.workspace,
        "tracker": project.tracker.plugin if project.tracker else None,
        "scm": project.scm.plugin if project.scm else None,
        "max_sessions": project.max_sessions,
        "remote": project.ssh.host if project.ssh else None,
        "sessions": live,
    }


def pull_view(project_id: str, pull: PullRequest) -> dict[str, Any]:
    """A pull request with the project it belongs to."""
    return {"project_id": project_id, **plain(pull)}


def _without_login(repo: str) -> str:
    """The address without a password in it (``https://user:secret@host/...``); ``git@host:...`` stays."""
    return re.sub(r"^(https?://)[^/]*@", r"\1", repo)
