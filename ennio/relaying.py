"""Who passes events on to NATS, and takes orders from there; nobody where no server is named."""

from __future__ import annotations

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator import Orchestrator
from ennio.actors.ordered import CommandDoor
from ennio.actors.registry import RELAY
from ennio.actors.relay import RelayActor
from ennio.actors.root import Start
from ennio.http import address
from ennio.nats.settings import NatsSettings


def relay(deps: Dependencies, orchestrator: Orchestrator) -> list[tuple[str, Start]]:
    """The relay, or nobody."""
    settings = NatsSettings.of(deps.config)
    if settings is None:
        return []
    token = address.token(deps.home.run(deps.config.source), deps.config.api_token)
    door = CommandDoor(deps, orchestrator.sessions, token, orchestrator.supervisor.stop)
    return [(RELAY, lambda name, watcher: RelayActor.start(deps, name, watcher, settings, door))]
