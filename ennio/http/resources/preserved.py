"""What removals of workspaces saved."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import IdField, RequestField, TextField, identifier
from ennio.http.requests import read_body, read_query

LIST: Mapping[str, RequestField] = {"project_id": IdField()}
RESTORE: Mapping[str, RequestField] = {"branch": TextField()}


class PreservedResource:
    """List it, look into one, bring one back."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Of one project or all, the latest first."""
        query = read_query(req, LIST)
        project_id = query["project_id"] and self._orchestrator.projects.known(query["project_id"])
        answer(resp, self._orchestrator.workspaces.preserved(project_id))

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, item_id: str) -> None:
        """Its commits and files."""
        read_query(req, {})
        answer(resp, self._orchestrator.workspaces.contents(identifier("id", item_id)))

    def on_post_restore(self, req: falcon.Request, resp: falcon.Response, item_id: str) -> None:
        """As a new branch of the project's repository; what is saved stays."""
        branch = read_body(req, RESTORE)["branch"]
        answer(resp, self._orchestrator.workspaces.restore(identifier("id", item_id), branch))
