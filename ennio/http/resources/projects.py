"""The configured projects."""

from __future__ import annotations

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.config.model import Project
from ennio.http.envelope import answer
from ennio.http.fields import identifier
from ennio.http.requests import read_query
from ennio.http.response_cache import ResponseCache, cached
from ennio.http.views import project_view
from ennio.model.errors import NotFound


def configured(orchestrator: Orchestrator, project_id: str) -> Project:
    """The configured project with this id. Raises NotFound naming those there are."""
    project = orchestrator.config.project(identifier("project_id", project_id))
    if project is None:
        known = ", ".join(each.id for each in orchestrator.config.projects) or "none"
        raise NotFound(f"no project {project_id}; configured: {known}")
    return project


def need_project(orchestrator: Orchestrator, project_id: str) -> str:
    """The id of a project that is configured, or was once and has its sessions still in the store."""
    if orchestrator.config.project(project_id) is None and orchestrator.store.projects.get(project_id) is not None:
        return project_id
    return configured(orchestrator, project_id).id


class ProjectsResource:
    """What may be worked on."""

    def __init__(self, orchestrator: Orchestrator, cache: ResponseCache) -> None:
        self._orchestrator = orchestrator
        self.cache = cache

    @cached
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List them as they stand in the configuration."""
        read_query(req, {})
        answer(resp, [project_view(each, self._live(each.id)) for each in self._orchestrator.config.projects])

    @cached
    def on_get_one(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Show one."""
        read_query(req, {})
        project = configured(self._orchestrator, project_id)
        answer(resp, project_view(project, self._live(project.id)))

    def _live(self, project_id: str) -> int:
        return self._orchestrator.store.sessions.count_live(project_id)
