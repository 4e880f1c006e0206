"""The issues of a project, as its tracker tells them."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import RequestField, TextField, TextListField
from ennio.http.requests import read_body, read_query
from ennio.http.resources.projects import configured

ADD: Mapping[str, RequestField] = {
    "title": TextField(required=True, longest=300),
    "body": TextField(longest=200_000, blank=True, default=""),
    "labels": TextListField(),
}


class IssuesResource:
    """The open issues of one project."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """List them."""
        read_query(req, {})
        answer(resp, self._orchestrator.issues.list(configured(self._orchestrator, project_id).id))

    def on_post(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Add one, where the tracker can."""
        body = read_body(req, ADD)
        project = configured(self._orchestrator, project_id).id
        answer(resp, self._orchestrator.issues.add(project, body["title"], body["body"], body["labels"]))
