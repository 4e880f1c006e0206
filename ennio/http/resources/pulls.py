"""Pull requests: list those of all projects, open one."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import FlagField, IdField, RequestField, TextField
from ennio.http.requests import read_body, read_query
from ennio.http.resources.projects import configured
from ennio.http.views import PullView

LIST: Mapping[str, RequestField] = {"project_id": IdField()}
OPEN: Mapping[str, RequestField] = {
    "branch": TextField(required=True, longest=250),
    "title": TextField(required=True, longest=300),
    "body": TextField(longest=200_000, blank=True, default=""),
    "draft": FlagField(),
}


class PullsResource:
    """The pull requests of the house."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the open ones and those ended lately, of one project or all."""
        named = read_query(req, LIST)["project_id"]
        project_id = configured(self._orchestrator, named).id if named else None
        answer(resp, [PullView.of(project, pull) for project, pull in self._orchestrator.pulls.list(project_id)])

    def on_post_project(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Open one for a branch, or find the one that is open."""
        body = read_body(req, OPEN)
        project = configured(self._orchestrator, project_id).id
        pull = self._orchestrator.pulls.open(project, body["branch"], body["title"], body["body"], draft=body["draft"])
        answer(resp, PullView.of(project, pull))
