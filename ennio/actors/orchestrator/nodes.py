"""The machines on which agents work: this one, and those that sessions name and nobody knows."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import ennio
from ennio.actors import condition
from ennio.actors.dependencies import Dependencies
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import AGENTS, NEWS
from ennio.model.errors import EnnioError
from ennio.model.session import Session


class NodeState(StrEnum):
    """Whether a machine can be asked."""

    HERE = "here"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NodeSource:
    """What is looked at there: how long the last look took (seconds), and what came of it."""

    ok: bool
    detail: str
    at: datetime | None
    took: float
    watched: int


@dataclass(frozen=True, slots=True)
class NodeView:
    """A machine; ``host`` is the field of its sessions, empty for this machine.

    ``sessions`` have not ended, ``of_projects`` counts them by project. ``error`` is what is wrong
    with it now. What is not known of one is null.
    """

    host: str
    name: str
    state: NodeState
    version: str | None
    since: datetime | None
    sessions: int
    of_projects: Mapping[str, int]
    free_memory: int | None
    free_disk: int | None
    error: str | None
    sources: Mapping[str, NodeSource]


def nodes(deps: Dependencies, started_at: datetime) -> Sequence[NodeView]:
    """Every machine there is to speak of, this one first."""
    living = [one for one in deps.store.sessions.list() if not one.status.terminal]
    by_host: dict[str, list[Session]] = {"": []}
    for session in living:
        by_host.setdefault(session.host, []).append(session)
    here = _here(deps, started_at, by_host.pop(""))
    return [here, *(_elsewhere(host, by_host[host]) for host in sorted(by_host))]


def _here(deps: Dependencies, started_at: datetime, sessions: Sequence[Session]) -> NodeView:
    sources = {
        name: _source(found)
        for name, found in condition.health(deps).items()
        if name.partition(":")[0] in (AGENTS, NEWS, "runtime")
    }
    troubles = [f"{name}: {one.detail}" for name, one in sorted(sources.items()) if not one.ok]
    memory, disk, unread = _room(deps)
    troubles += [unread] if unread else []
    return NodeView(
        "",
        platform.node() or "this machine",
        NodeState.HERE,
        ennio.__version__,
        started_at,
        len(sessions),
        _counted(sessions),
        memory,
        disk,
        "; ".join(troubles) or None,
        sources,
    )


def _elsewhere(host: str, sessions: Sequence[Session]) -> NodeView:
    why = "this supervisor does not know that host: nothing can be said of its agents from here"
    return NodeView(
        host=host,
        name=host,
        state=NodeState.UNKNOWN,
        version=None,
        since=None,
        sessions=len(sessions),
        of_projects=_counted(sessions),
        free_memory=None,
        free_disk=None,
        error=why,
        sources={},
    )


def _counted(sessions: Sequence[Session]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for session in sessions:
        found[session.project_id] = found.get(session.project_id, 0) + 1
    return found


def _source(found: SourceHealth) -> NodeSource:
    return NodeSource(found.ok, found.detail, found.at, found.took, found.watched)


def _room(deps: Dependencies) -> tuple[int | None, int | None, str | None]:
    """Free bytes of memory and disk, or why they cannot be told."""
    try:
        return deps.this_machine.free_memory(), deps.this_machine.free_disk(), None
    except (OSError, EnnioError) as error:
        return None, None, str(error)
