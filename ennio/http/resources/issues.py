"""The issues of a project, as its tracker tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import Issue
from ennio.http.operation import Resource, operation
from ennio.model.request_fields import TextField, TextListField


@dataclass(frozen=True, slots=True)
class IssueBody:
    """A new issue."""

    title: Annotated[str, TextField(longest=300)]
    body: Annotated[str, TextField(longest=200_000, blank=True)] = ""
    labels: Annotated[tuple[str, ...], TextListField()] = ()


class IssuesResource(Resource):
    """The open issues of one project."""

    @operation("The open issues.", list[Issue])
    def on_get(self, project_id: str) -> Sequence[Issue]:
        """List them."""
        return self._orchestrator.issues.list(self._configured(project_id))

    @operation("Add an issue, where the tracker can.", Issue, body=IssueBody)
    def on_post(self, project_id: str, body: IssueBody) -> Issue:
        """Add one, where the tracker can."""
        return self._orchestrator.issues.add(
            self._configured(project_id), body.title, body.body, body.labels
        )
