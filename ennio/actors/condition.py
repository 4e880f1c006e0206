"""How the supervisor is doing: its actors, its sources, how many of what there
are, and what is not well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ennio.actors import channel_health
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GetHealth, GetNode, GetRelayState, ListChildren
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import (
    ADOPTERS,
    AGENTS,
    METER,
    NEWS,
    NODE,
    RELAY,
    ROOT,
    looks_at,
    node_name,
)
from ennio.actors.relay_state import RelayState, relay_down
from ennio.actors.root import ChildState
from ennio.model.errors import EnnioError, NotFound, Unreachable
from ennio.model.node import NodeState
from ennio.policy import degradation
from ennio.policy.degradation import Readiness, Signs
from ennio.policy.nodes import Node

Children = Mapping[str, tuple[ChildState, str | None]]


def condition(deps: Dependencies, config_problem: str | None = None) -> dict[str, Any]:
    """What there is to say of actors, sources, sessions and the queue."""
    children, silent = _children(deps)
    sources, store = health(deps), deps.store
    judged = _judged(deps, config_problem, children, silent, sources)
    return {
        "ready": judged.ready,
        "degraded": judged.degraded,
        "database_problem": store.problem,
        "actors": {
            "running": sum(1 for state, _ in children.values() if state is ChildState.RUNNING),
            "troubled": {
                name: {"state": state.value, "error": error}
                for name, (state, error) in _troubled(children).items()
            },
        },
        "sources": {name: health.as_json() for name, health in sources.items()},
        "nats": relay_state(deps),
        "metering": meter_state(deps),
        "sessions": dict(Counter(session.status.value for session in store.sessions.list())),
        "queue": len(store.queue.list()),
        "last_seq": store.events.last_seq(),
        "merges_open": len(store.merges.open()),
    }


def readiness(deps: Dependencies, config_problem: str | None = None) -> Readiness:
    """Whether it can do its work, and what is not well."""
    children, silent = _children(deps)
    return _judged(deps, config_problem, children, silent, health(deps))


def health(deps: Dependencies) -> dict[str, SourceHealth]:
    """How each source has been doing; one that is just being restarted is in trouble, and no
    reason not to show the others.
    """
    kinds = (AGENTS, ADOPTERS, NEWS, NODE, RELAY, METER, "runtime", "forge", "tracker")
    sources = [name for name in deps.actors.names() if name.partition(":")[0] in kinds]
    silent = tuple(_silent(deps))
    return {
        name: _health(deps, name)
        for name in sources
        if not any(looks_at(name, host) for host in silent)
    }


def _silent(deps: Dependencies) -> Iterator[str]:
    """The machines that nobody can look at now: why is told of each once, and not by everybody
    who looks there.
    """
    for host in deps.other_machines:
        with suppress(NotFound, Unreachable):
            node: Node = deps.actors.ask(node_name(host), GetNode())
            if node.state not in (NodeState.CONNECTED, NodeState.UNKNOWN):
                yield host


def _health(deps: Dependencies, name: str) -> SourceHealth:
    try:
        found: SourceHealth = deps.actors.ask(name, GetHealth())
    except (NotFound, Unreachable) as error:
        return SourceHealth(ok=False, detail=str(error))
    return found


def _children(deps: Dependencies) -> tuple[Children, str | None]:
    """Every actor, or why nobody can be asked: whoever wants to know how it is hears
    that instead of an error.
    """
    try:
        return deps.actors.ask(ROOT, ListChildren()), None
    except (NotFound, Unreachable) as error:
        return {}, str(error)


def _troubled(children: Children) -> Children:
    return {name: child for name, child in children.items() if child[0] is not ChildState.RUNNING}


def _judged(
    deps: Dependencies,
    config_problem: str | None,
    children: Children,
    silent: str | None,
    sources: Mapping[str, SourceHealth],
) -> Readiness:
    troubled = _troubled(children)
    signs = Signs(
        database=deps.store.problem,
        configuration=config_problem,
        silent=silent,
        actors={
            name: f"{state.value}: {error or 'it ended'}"
            for name, (state, error) in troubled.items()
        },
        sources={
            name: each.detail or "it does not answer"
            for name, each in sources.items()
            if not each.ok
        },
        channels=_channels(deps),
        free_disk=_free_disk(deps),
    )
    return degradation.judge(signs)


def _channels(deps: Dependencies) -> Mapping[str, str]:
    """Those that did not take what they were told; what cannot be read now
    is told of the database.
    """
    try:
        found = channel_health.troubles(deps)
    except EnnioError:
        return {}
    return {name: channel_health.told(many, why) for name, (many, why) in found.items()}


def _free_disk(deps: Dependencies) -> int | None:
    try:
        return deps.this_machine.free_disk()
    except OSError:
        return None


def meter_state(deps: Dependencies) -> dict[str, Any] | None:
    """How the metering proxy of this machine is; None where nobody keeps one."""
    if METER not in deps.actors.names():
        return None
    return asdict(deps.this_machine.meter())


def relay_state(deps: Dependencies) -> dict[str, Any] | None:
    """How the relay to NATS is doing; None where there is none."""
    if not deps.config.nats_url:
        return None
    try:
        found: RelayState = deps.actors.ask(RELAY, GetRelayState())
    except (NotFound, Unreachable) as error:
        found = relay_down(deps, str(error))
    return asdict(found)
