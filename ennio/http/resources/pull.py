"""One pull request: look at it, review it, merge it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ennio.actors.orchestrator import MergeOrder, Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import ChoiceField, FlagField, NumberField, RequestField, TextField
from ennio.http.requests import read_body, read_query
from ennio.http.resources.projects import configured
from ennio.http.views import PullView
from ennio.model.errors import Invalid
from ennio.model.pulls import MergeMethod, PullRequest, ReviewState

_WHERE: Mapping[str, RequestField] = {
    "path": TextField(longest=4096),
    "line": NumberField(1, 10_000_000),
    "author": TextField(longest=100, default="person"),
}
_HEAD = TextField(longest=64)
APPROVE: Mapping[str, RequestField] = {"body": TextField(longest=200_000, blank=True, default=""), **_WHERE, "head": _HEAD}
REMARK: Mapping[str, RequestField] = {"body": TextField(longest=200_000, required=True), **_WHERE}
REPLY: Mapping[str, RequestField] = {"comment": TextField(longest=200, required=True), "body": TextField(longest=60_000, required=True)}
RESOLVE: Mapping[str, RequestField] = {"thread": TextField(longest=200, required=True)}
MERGE: Mapping[str, RequestField] = {
    "method": ChoiceField(tuple(MergeMethod)),
    "head": _HEAD,
    "force": FlagField(),
    "by": TextField(longest=100, default="a person"),
}

_NUMBER = NumberField(1, 2**31 - 1)


class PullResource:
    """A pull request named by its project and number."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def _named(self, project_id: str, number: str) -> tuple[str, int]:
        return configured(self._orchestrator, project_id).id, _NUMBER.from_text("number", number)

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Read it afresh from the forge."""
        read_query(req, {})
        project, which = self._named(project_id, number)
        answer(resp, PullView.of(project, self._orchestrator.pulls.get(project, which)))

    def on_get_files(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """The files it changes."""
        read_query(req, {})
        project, which = self._named(project_id, number)
        answer(resp, self._orchestrator.pulls.files(project, which))

    def on_get_diff(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """What it changes, as text."""
        read_query(req, {})
        project, which = self._named(project_id, number)
        answer(resp, self._orchestrator.pulls.diff(project, which))

    def on_post_approve(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Approve it."""
        self._review(resp, self._named(project_id, number), ReviewState.APPROVED, read_body(req, APPROVE))

    def on_post_request_changes(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Ask for changes, in words."""
        self._review(resp, self._named(project_id, number), ReviewState.CHANGES_REQUESTED, read_body(req, REMARK))

    def on_post_comment(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Say something about it, or about a line of it."""
        self._review(resp, self._named(project_id, number), ReviewState.NONE, read_body(req, REMARK))

    def _review(self, resp: falcon.Response, named: tuple[str, int], decision: ReviewState, body: Mapping[str, Any]) -> None:
        project, number = named
        if body["line"] is not None and body["path"] is None:
            raise Invalid("path: is missing; a line is a line of some file")
        words = (body["author"], decision, body["body"], body["path"], body["line"], body.get("head"))
        pull = self._orchestrator.pulls.review(project, number, *words)
        answer(resp, PullView.of(project, pull))

    def on_post_merge(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Merge it, if its head is still what was seen; what is not green, or lacks an approval it needs, only with ``force``."""
        body = read_body(req, MERGE)
        method = MergeMethod(body["method"]) if body["method"] else None
        project, which = self._named(project_id, number)
        answer(resp, self._orchestrator.pulls.merge(project, which, MergeOrder(method, body["head"], body["force"], body["by"])))

    def on_post_reply(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Answer one of its comments."""
        body = read_body(req, REPLY)
        project, which = self._named(project_id, number)
        self._show(resp, project, self._orchestrator.pulls.reply(project, which, body["comment"], body["body"]))

    def on_post_resolve(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Settle one of its threads."""
        thread = read_body(req, RESOLVE)["thread"]
        project, which = self._named(project_id, number)
        self._show(resp, project, self._orchestrator.pulls.resolve(project, which, thread))

    def on_post_close(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Close it without merging."""
        read_body(req, {})
        project, which = self._named(project_id, number)
        self._show(resp, project, self._orchestrator.pulls.close(project, which))

    def on_post_ready(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Take it out of draft."""
        read_body(req, {})
        project, which = self._named(project_id, number)
        self._show(resp, project, self._orchestrator.pulls.ready(project, which))

    def on_post_rerun(self, req: falcon.Request, resp: falcon.Response, project_id: str, number: str) -> None:
        """Run the checks of its head again."""
        read_body(req, {})
        project, which = self._named(project_id, number)
        self._show(resp, project, self._orchestrator.pulls.rerun(project, which))

    @staticmethod
    def _show(resp: falcon.Response, project: str, pull: PullRequest) -> None:
        answer(resp, PullView.of(project, pull))
