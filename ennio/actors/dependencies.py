"""What every actor is given: made once by boot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ennio.actors.registry import ActorRegistry
from ennio.actors.terminal_control import TerminalControls
from ennio.config.model import Config, Project
from ennio.hosts.interface import Host
from ennio.hosts.node_link import NodeLink
from ennio.machine.home import Home
from ennio.model.clock import Clock
from ennio.model.errors import NotFound, Unreachable
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
    other_machines: Mapping[str, Host] = field(default_factory=dict)
    node_links: Mapping[str, NodeLink] = field(default_factory=dict)
    """The ways to those of them that have a daemon."""
    terminal_controls: TerminalControls = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terminal_controls", TerminalControls(self.store, self.clock))

    def host(self, session: Session) -> Host:
        """The host that the session is on; never another in its place. Raises Unreachable
        for one that is not known.
        """
        host = self.host_of_name(session.host)
        if host is None:
            raise Unreachable(
                f"session {session.id} is on host {session.host}, which this supervisor does not "
                "know, "
                "so nothing can be said of its agent or done to it from here"
            )
        return host

    def host_of_name(self, name: str) -> Host | None:
        """The host of this name, empty for this machine; None for one that is not known."""
        return self.other_machines.get(name) if name else self.this_machine

    @property
    def hosts(self) -> Sequence[Host]:
        """Every host there is, this machine first."""
        return (self.this_machine, *self.other_machines.values())

    def project(self, project_id: str) -> Project:
        """The project of this id or name. Raises NotFound naming those there are."""
        project = self.config.project(project_id)
        if project is None:
            names = ", ".join(p.id for p in self.config.projects) or "none"
            raise NotFound(f"no project {project_id!r} in {self.config.source}; there are: {names}")
        return project
