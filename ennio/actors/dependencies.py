"""What every actor is given: made once by boot."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config, Project, StaleApprovals
from ennio.machine.home import Home
from ennio.model.clock import Clock
from ennio.model.errors import NotFound
from ennio.model.session import Session
from ennio.plugins.registry import Registry
from ennio.policy.lifecycle import Spec
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

    def project(self, project_id: str) -> Project:
        """The project of this id or name. Raises NotFound naming those there are."""
        project = self.config.project(project_id)
        if project is None:
            names = ", ".join(p.id for p in self.config.projects) or "none"
            raise NotFound(f"no project {project_id!r} in {self.config.source}; there are: {names}")
        return project

    def spec(self, session: Session) -> Spec:
        """What the configuration says about this session's life."""
        project = self.project(session.project_id)
        agent = self.plugins.agent(session.agent_name or project.agent, project)
        return Spec(
            tells=agent.reports_activity,
            one_shot=agent.one_shot,
            forge=project.scm is not None,
            ready_threshold=self.config.ready_threshold,
            count_stale=project.stale_approvals is StaleApprovals.COUNT,
            restart=project.restart,
            cleanup=self.config.cleanup,
        )
