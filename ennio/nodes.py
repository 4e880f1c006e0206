"""Other machines, and who keeps the ways to them; nobody where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ennio.actors.dependencies import Dependencies
from ennio.actors.node import NodeActor
from ennio.actors.registry import node_name
from ennio.actors.root import Start
from ennio.config.host_name import host_name
from ennio.config.model import Config, SshStrategy
from ennio.hosts.elsewhere import MachineOf, hosts_elsewhere
from ennio.hosts.interface import Host
from ennio.hosts.node_link import NodeLink
from ennio.machine.home import Home
from ennio.model.clock import Clock


@dataclass(frozen=True, slots=True)
class OtherMachines:
    """Those of a configuration, and the ways to the nodes of some."""

    hosts: Mapping[str, Host]
    links: Mapping[str, NodeLink]


def other_machines(
    config: Config, home: Home, clock: Clock, instance: str, near: Host, machine_of: MachineOf
) -> OtherMachines:
    """One for each host and user that a project names. Connects nowhere."""
    hosts: dict[str, Host] = {**hosts_elsewhere(config, clock, instance, near, machine_of)}
    links: dict[str, NodeLink] = {}
    for ssh in {host_name(one.ssh): one.ssh for one in config.projects if one.ssh}.values():
        if ssh.strategy is SshStrategy.NODE:
            from ennio.node.elsewhere import (  # noqa: PLC0415 - gRPC is loaded where it is used
                NodeElsewhere,
            )

            name = host_name(ssh)
            node = NodeElsewhere(name, ssh, machine_of, near, clock, home.root / "nodes")
            hosts[name], links[name] = node, node.link
    return OtherMachines(hosts, links)


def keepers(deps: Dependencies) -> list[tuple[str, Start]]:
    """One for each of them."""
    return [(node_name(name), _keeper(deps, host)) for name, host in deps.other_machines.items()]


def _keeper(deps: Dependencies, host: Host) -> Start:
    return lambda name, watcher: NodeActor.start(deps, name, watcher, host)
