"""Who keeps the ways to other machines; nobody where there are none."""

from __future__ import annotations

from ennio.actors.dependencies import Dependencies
from ennio.actors.node import NodeActor
from ennio.actors.registry import node_name
from ennio.actors.root import Start
from ennio.hosts.interface import Host


def keepers(deps: Dependencies) -> list[tuple[str, Start]]:
    """One for each of them."""
    return [(node_name(name), _keeper(deps, host)) for name, host in deps.other_machines.items()]


def _keeper(deps: Dependencies, host: Host) -> Start:
    return lambda name, watcher: NodeActor.start(deps, name, watcher, host)
