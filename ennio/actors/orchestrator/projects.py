"""The projects: those of the configuration, and those that were in it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ennio.actors.dependencies import Dependencies
from ennio.config.model import Project
from ennio.model.errors import NotFound


@dataclass(frozen=True, slots=True)
class ProjectApi:
    """What can be asked of projects."""

    deps: Dependencies

    def list(self) -> Sequence[Project]:
        """The configured ones, as they stand in the file."""
        return self.deps.config.projects

    def need(self, project_id: str) -> Project:
        """A configured one. Raises NotFound naming those there are."""
        project = self.deps.config.project(project_id)
        if project is None:
            known = ", ".join(each.id for each in self.deps.config.projects) or "none"
            raise NotFound(f"no project {project_id}; configured: {known}")
        return project

    def known(self, project_id: str) -> str:
        """The id of one that is configured, or was once and has its
        sessions still. Raises NotFound.
        """
        if (
            self.deps.config.project(project_id) is None
            and self.deps.store.projects.get(project_id) is not None
        ):
            return project_id
        return self.need(project_id).id

    def live_sessions(self, project_id: str) -> int:
        """How many of its sessions have not ended."""
        return self.deps.store.sessions.count_live(project_id)
