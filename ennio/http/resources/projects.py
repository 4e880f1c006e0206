"""The configured projects."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.config.model import Project
from ennio.http.operation import Resource, operation
from ennio.http.response_cache import cached
from ennio.http.views import ProjectView


class ProjectsResource(Resource):
    """What may be worked on."""

    @cached
    @operation("List the configured projects.", list[ProjectView])
    def on_get(self) -> Sequence[ProjectView]:
        """List them as they stand in the configuration."""
        return [self._view(each) for each in self._orchestrator.projects.list()]

    @cached
    @operation("Show a project.", ProjectView)
    def on_get_one(self, project_id: str) -> ProjectView:
        """Show one."""
        return self._view(self._orchestrator.projects.need(self._configured(project_id)))

    def _view(self, project: Project) -> ProjectView:
        return ProjectView.of(project, self._orchestrator.projects.live_sessions(project.id))
