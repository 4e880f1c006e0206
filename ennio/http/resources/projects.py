"""The configured projects."""

from __future__ import annotations

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.config.model import Project
from ennio.http.envelope import answer
from ennio.http.fields import identifier
from ennio.http.requests import read_query
from ennio.http.response_cache import ResponseCache, cached
from ennio.http.views import ProjectView


def configured(orchestrator: Orchestrator, project_id: str) -> Project:
    """The configured project with this id. Raises NotFound naming those there are."""
    return orchestrator.projects.need(identifier("project_id", project_id))


class ProjectsResource:
    """What may be worked on."""

    def __init__(self, orchestrator: Orchestrator, cache: ResponseCache) -> None:
        self._orchestrator = orchestrator
        self.cache = cache

    @cached
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List them as they stand in the configuration."""
        read_query(req, {})
        answer(resp, [ProjectView.of(each, self._live(each.id)) for each in self._orchestrator.projects.list()])

    @cached
    def on_get_one(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Show one."""
        read_query(req, {})
        project = configured(self._orchestrator, project_id)
        answer(resp, ProjectView.of(project, self._live(project.id)))

    def _live(self, project_id: str) -> int:
        return self._orchestrator.projects.live_sessions(project_id)
