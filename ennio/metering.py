"""Who keeps the metering proxy; nobody where no agent goes past one."""

from __future__ import annotations

from ennio.actors.dependencies import Dependencies
from ennio.actors.meter import MeterActor
from ennio.actors.registry import meter_name
from ennio.actors.root import Start
from ennio.config.money import MeteringChoice
from ennio.hosts.interface import Host
from ennio.model.errors import Unreachable


def meters(deps: Dependencies) -> list[tuple[str, Start]]:
    """A keeper for each host, where some project wants one or a session goes past one still."""
    return [
        (meter_name(host.name), _keeper(deps, host)) for host in deps.hosts if _wants(deps, host)
    ]


def _keeper(deps: Dependencies, host: Host) -> Start:
    return lambda name, watcher: MeterActor.start(deps, name, watcher, host)


def _wants(deps: Dependencies, host: Host) -> bool:
    chosen = (project.agent_config.metering for project in deps.config.projects)
    return MeteringChoice.PROXY in chosen or _may_have_one(host)


def _may_have_one(host: Host) -> bool:
    """One that cannot be asked may: its keeper finds out once it can be."""
    try:
        return bool(host.meter().sessions)
    except Unreachable:
        return True
