"""What every actor is given: made once by boot."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config, Project
from ennio.hosts.interface import Host
from ennio.machine.home import Home
from ennio.model.clock import Clock
from ennio.model.errors import NotFound
from ennio.model.session import Session
from ennio.plugins.registry import Registry
from ennio.store import Store


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Configuration, store, plugins, clock, and the way to the other actors."""

    config: Config
    home: Home
    clock: Clock
    store: Store
    plugins: Registry
    actors: ActorRegistry
    this_machine: Host

    def host(self, session: Session) -> Host:
        """The host that the session is on."""
        del session
        return self.this_machine

    def project(self, project_id: str) -> Project:
        """The project of this id or name. Raises NotFound naming those there are."""
        project = self.config.project(project_id)
        if project is None:
            names = ", ".join(p.id for p in self.config.projects) or "none"
            raise NotFound(f"no project {project_id!r} in {self.config.source}; there are: {names}")
        return project
