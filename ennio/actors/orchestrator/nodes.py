"""The machines on which agents work: this one, those of the configuration, and those that sessions
name and nobody knows.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import ennio
from ennio.actors import condition
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import ConnectNode, GetNode, PartNode
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import looks_at, node_name
from ennio.config.host_name import host_of
from ennio.hosts.node_link import NodeLink
from ennio.model.errors import Conflict, EnnioError, NotFound, Unreachable
from ennio.model.failpoints import failpoint
from ennio.model.nearest import nearest
from ennio.model.node import NodeKind, NodeState, NodeStep
from ennio.model.session import Session
from ennio.policy.nodes import Node

_STRANGER = (
    "this supervisor does not know that host: nothing can be said of its agents from here; have "
    "the ssh_config of its project back, or end the agents over there"
)


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

    ``kind`` is how it is asked, ``version`` and ``since`` are those of the Ennio that answers
    there. ``sessions`` have not ended, ``of_projects`` counts them by project; ``projects`` are
    those that are run on it. ``round_trip`` (seconds) and ``seen_at`` are of its last answer,
    ``error`` is what is wrong with it now, ``steps`` what was done to connect. What is not known of
    one is null.
    """

    host: str
    name: str
    kind: NodeKind
    state: NodeState
    state_since: datetime | None
    version: str | None
    since: datetime | None
    round_trip: float | None
    seen_at: datetime | None
    failures: int
    projects: Sequence[str]
    sessions: int
    of_projects: Mapping[str, int]
    free_memory: int | None
    free_disk: int | None
    error: str | None
    steps: Sequence[NodeStep]
    sources: Mapping[str, NodeSource]


@dataclass(frozen=True, slots=True)
class NodeParted:
    """A machine whose daemon was shut down, and how many sessions go on there."""

    host: str
    sessions: int


@dataclass(frozen=True, slots=True)
class NodeLog:
    """The end of a daemon's log, and where it lies over there."""

    host: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class NodeApi:
    """What can be asked of machines. One is named by its host, or by a project that is on it."""

    deps: Dependencies
    started_at: datetime

    # --- looking ----------------------------------------------------------------------------------

    def list(self) -> Sequence[NodeView]:
        """Every machine there is to speak of, this one first. Who looks has them asked again."""
        looked = _Looked.at(self.deps)
        strange = sorted(looked.sessions.keys() - self.deps.other_machines.keys() - {""})
        return [self._view(host, looked) for host in ("", *self.deps.other_machines, *strange)]

    def get(self, name: str) -> NodeView:
        """One of them. Raises NotFound naming those there are."""
        return self._view(self._host(name), _Looked.at(self.deps))

    def log(self, name: str, most: int) -> NodeLog:
        """The end of the log of its daemon. Raises NotFound, Conflict, Unreachable."""
        host = self._other(name)
        told = self._link(host).log(most)
        return NodeLog(host, told.path, told.text)

    # --- ordering ---------------------------------------------------------------------------------

    @failpoint("order.connect_node", because="begins what is begun again by itself")
    def connect(self, name: str) -> NodeView:
        """Have it asked now, and its daemon put there and started where it has one; what becomes of
        that is seen by looking. Raises NotFound, Conflict.
        """
        host = self._other(name)
        node = self.deps.actors.ask(node_name(host), ConnectNode())
        return self._elsewhere(node, _Looked.at(self.deps))

    @failpoint("order.disconnect_node", because="asks one daemon to end, and may be given again")
    def disconnect(self, name: str) -> NodeParted:
        """Shut its daemon down; sessions go on there, unseen until it is connected again. Raises
        NotFound, Conflict, Unreachable.
        """
        host = self._other(name)
        link = self._link(host)
        sessions = self.deps.actors.ask(node_name(host), PartNode())
        try:
            link.disconnect()
        except Unreachable as error:
            raise Unreachable(
                f"{host} is disconnected here, but its daemon could not be shut down: {error}"
            ) from error
        return NodeParted(host, sessions)

    # --- by name ----------------------------------------------------------------------------------

    def _host(self, name: str) -> str:
        if name in ("here", platform.node()):
            return ""
        project = self.deps.config.project(name)
        if project is not None:
            return host_of(project)
        known = list(dict.fromkeys((*self.deps.other_machines, *_living(self.deps))))
        if name in known:
            return name
        # who names a machine without the person is understood where that is one
        short = [host for host in self.deps.other_machines if _bare(host) == name]
        if len(short) == 1:
            return short[0]
        there = ", ".join(short or ["here", *(host for host in known if host)])
        near = nearest(name, [host for host in known if host])
        meant = f", did you mean {near!r}?" if near else ""
        raise NotFound(f"no machine or project is called {name!r}{meant}; there are: {there}")

    def _other(self, name: str) -> str:
        host = self._host(name)
        if not host:
            raise Conflict(f"{name} is on this machine, which needs no connection")
        if host not in self.deps.other_machines:
            raise Conflict(f"{host}: {_STRANGER}")
        return host

    def _link(self, host: str) -> NodeLink:
        link = self.deps.node_links.get(host)
        if link is None:
            raise Conflict(
                f"{host} is asked over ssh alone and has no ennio-node: there is nothing to shut "
                "down, and no log of it (strategy: node in ssh_config has one)"
            )
        return link

    # --- showing ----------------------------------------------------------------------------------

    def _view(self, host: str, looked: _Looked) -> NodeView:
        if not host:
            return self._here(looked)
        if host not in self.deps.other_machines:
            stranger = self._elsewhere(Node(host, daemon=False, detail=_STRANGER), looked)
            return replace(stranger, kind=NodeKind.STRANGER)
        return self._elsewhere(self._node(host), looked)

    def _node(self, host: str) -> Node:
        try:
            node: Node = self.deps.actors.ask(node_name(host), GetNode(look=True))
        except (NotFound, Unreachable) as error:
            return Node(host, host in self.deps.node_links, detail=str(error))
        return node

    def _here(self, looked: _Looked) -> NodeView:
        sources, sessions = looked.sources(""), looked.sessions.get("", ())
        memory, disk, unread = _room(self.deps)
        troubles = [*_troubles(sources), *([unread] if unread else [])]
        return NodeView(
            host="",
            name=platform.node() or "this machine",
            kind=NodeKind.HERE,
            state=NodeState.HERE,
            state_since=self.started_at,
            version=ennio.__version__,
            since=self.started_at,
            round_trip=None,
            seen_at=None,
            failures=0,
            projects=self._projects(""),
            sessions=len(sessions),
            of_projects=_counted(sessions),
            free_memory=memory,
            free_disk=disk,
            error="; ".join(troubles) or None,
            steps=(),
            sources=sources,
        )

    def _elsewhere(self, node: Node, looked: _Looked) -> NodeView:
        """What was true when it answered last is not shown as if it were now."""
        sources, sessions = looked.sources(node.host), looked.sessions.get(node.host, ())
        health = node.health
        fresh = health if node.state is NodeState.CONNECTED else None
        troubles = [node.detail] if node.detail else []
        troubles += _troubles(sources) if fresh else []
        return NodeView(
            host=node.host,
            name=node.host,
            kind=NodeKind.DAEMON if node.daemon else NodeKind.SSH,
            state=node.state,
            state_since=node.since,
            version=health.version if health else None,
            since=fresh.started_at if fresh else None,
            round_trip=fresh.round_trip if fresh else None,
            seen_at=health.at if health else None,
            failures=node.failures,
            projects=self._projects(node.host),
            sessions=len(sessions),
            of_projects=_counted(sessions),
            free_memory=fresh.free_memory if fresh else None,
            free_disk=fresh.free_disk if fresh else None,
            error="; ".join(troubles) or None,
            steps=node.steps,
            sources=sources,
        )

    def _projects(self, host: str) -> Sequence[str]:
        return [project.id for project in self.deps.config.projects if host_of(project) == host]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is read once for all machines: sessions that have not ended, by host, and how each
    source is doing.
    """

    sessions: Mapping[str, Sequence[Session]]
    health: Mapping[str, SourceHealth]

    @classmethod
    def at(cls, deps: Dependencies) -> _Looked:
        return cls(_living(deps), condition.health(deps))

    def sources(self, host: str) -> Mapping[str, NodeSource]:
        """Those that look there."""
        return {
            name: NodeSource(found.ok, found.detail, found.at, found.took, found.watched)
            for name, found in self.health.items()
            if looks_at(name, host)
        }


def _living(deps: Dependencies) -> Mapping[str, Sequence[Session]]:
    found: dict[str, list[Session]] = {}
    for session in deps.store.sessions.list():
        if not session.status.terminal:
            found.setdefault(session.host, []).append(session)
    return found


def _bare(host: str) -> str:
    """A host's name without the person and the port."""
    name = host.rpartition("@")[2]
    return name if name.startswith("[") else name.partition(":")[0]


def _troubles(sources: Mapping[str, NodeSource]) -> Sequence[str]:
    return [f"{name}: {one.detail}" for name, one in sorted(sources.items()) if not one.ok]


def _counted(sessions: Sequence[Session]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for session in sessions:
        found[session.project_id] = found.get(session.project_id, 0) + 1
    return found


def _room(deps: Dependencies) -> tuple[int | None, int | None, str | None]:
    """Free bytes of memory and disk, or why they cannot be told."""
    try:
        return deps.this_machine.free_memory(), deps.this_machine.free_disk(), None
    except (OSError, EnnioError) as error:
        return None, None, str(error)
