"""Pull requests: list those of all projects, open one; look at one, review it, merge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import MergeOrder
from ennio.http.operation import Resource, operation
from ennio.http.resources.workspaces import OfProject
from ennio.http.views import MergedView, PullView
from ennio.model.changes import Diff, Files
from ennio.model.conflicts import ConflictWith
from ennio.model.errors import Invalid
from ennio.model.name_field import NameField
from ennio.model.pulls import PullRequest, ReviewState
from ennio.model.request_fields import FlagField, NumberField, TextField

_NUMBER = NumberField(1, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class OpenPullBody:
    """A pull request for a pushed branch."""

    branch: Annotated[str, TextField(longest=250)]
    title: Annotated[str, TextField(longest=300)]
    body: Annotated[str, TextField(longest=200_000, blank=True)] = ""
    draft: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remark:
    path: Annotated[str | None, TextField(longest=4096)] = None
    line: Annotated[int | None, NumberField(1, 10_000_000)] = None
    author: Annotated[str, NameField()] = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveBody(_Remark):
    """An approval of a head, with words if there are any."""

    body: Annotated[str, TextField(longest=200_000, blank=True)] = ""
    head: Annotated[str | None, TextField(longest=64)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkBody(_Remark):
    """Words about it, or about a line of it."""

    body: Annotated[str, TextField(longest=200_000)]


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """An answer to a comment."""

    comment: Annotated[str, TextField(longest=200)]
    body: Annotated[str, TextField(longest=60_000)]


@dataclass(frozen=True, slots=True)
class ResolveBody:
    """The thread that is settled."""

    thread: Annotated[str, TextField(longest=200)]


class PullsResource(Resource):
    """The pull requests of all projects."""

    @operation("Pull requests, open or ended lately.", list[PullView], query=OfProject)
    def on_get(self, query: OfProject) -> Sequence[PullView]:
        """List the open ones and those ended lately, of one project or all."""
        project_id = self._configured(query.project_id) if query.project_id else None
        expected = self._orchestrator.conflicts.of_pulls(project_id)
        return [
            PullView.of(project, pull, expected.get((project, pull.number), ()))
            for project, pull in self._orchestrator.pulls.list(project_id)
        ]

    @operation("Open a pull request, or find the open one.", PullView, body=OpenPullBody)
    def on_post_project(self, project_id: str, body: OpenPullBody) -> PullView:
        """Open one for a branch, or find the one that is open."""
        project = self._configured(project_id)
        return PullView.of(
            project,
            self._orchestrator.pulls.open(
                project, body.branch, body.title, body.body, draft=body.draft
            ),
        )


class PullResource(Resource):
    """A pull request named by its project and number."""

    def _named(self, project_id: str, number: str) -> tuple[str, int]:
        return self._configured(project_id), _NUMBER.from_text("number", number)

    def _view(self, project_id: str, pull: PullRequest) -> PullView:
        return PullView.of(project_id, pull, self._expected(project_id, pull.number))

    def _expected(self, project_id: str, number: int) -> tuple[ConflictWith, ...]:
        return self._orchestrator.conflicts.of_pulls(project_id).get((project_id, number), ())

    @operation("Read a pull request afresh.", PullView)
    def on_get(self, project_id: str, number: str) -> PullView:
        """Read it afresh from the forge."""
        project, which = self._named(project_id, number)
        return self._view(project, self._orchestrator.pulls.get(project, which))

    @operation("The files it changes.", Files)
    def on_get_files(self, project_id: str, number: str) -> Files:
        """The files it changes."""
        return self._orchestrator.pulls.files(*self._named(project_id, number))

    @operation("What it changes, as text.", Diff)
    def on_get_diff(self, project_id: str, number: str) -> Diff:
        """What it changes, as text."""
        return self._orchestrator.pulls.diff(*self._named(project_id, number))

    @operation("Approve it.", PullView, body=ApproveBody)
    def on_post_approve(self, project_id: str, number: str, body: ApproveBody) -> PullView:
        """Approve it."""
        return self._review(self._named(project_id, number), ReviewState.APPROVED, body, body.head)

    @operation("Ask for changes.", PullView, body=RemarkBody)
    def on_post_request_changes(self, project_id: str, number: str, body: RemarkBody) -> PullView:
        """Ask for changes, in words."""
        return self._review(self._named(project_id, number), ReviewState.CHANGES_REQUESTED, body)

    @operation("Comment on it, or on a line of it.", PullView, body=RemarkBody)
    def on_post_comment(self, project_id: str, number: str, body: RemarkBody) -> PullView:
        """Say something about it, or about a line of it."""
        return self._review(self._named(project_id, number), ReviewState.NONE, body)

    def _review(
        self,
        named: tuple[str, int],
        decision: ReviewState,
        body: ApproveBody | RemarkBody,
        head: str | None = None,
    ) -> PullView:
        if body.line is not None and body.path is None:
            raise Invalid("path: is missing; a line is a line of some file")
        pull = self._orchestrator.pulls.review(
            *named, body.author, decision, body.body, body.path, body.line, head
        )
        return self._view(named[0], pull)

    @operation(
        "Merge it; red, or without a needed approval, only with force.", MergedView, body=MergeOrder
    )
    def on_post_merge(self, project_id: str, number: str, body: MergeOrder) -> MergedView:
        """Merge it, if its head is still what was seen; what is not green, or lacks an approval it
        needs, only with ``force``.
        """
        project, which = self._named(project_id, number)
        # once it is merged its session is over
        expected = self._expected(project, which)
        undelivered = self._orchestrator.pulls.undelivered(project, which)
        merged = self._orchestrator.pulls.merge(project, which, body)
        return MergedView(merged.commit, merged.message, expected, undelivered)

    @operation("Answer one of its comments.", PullView, body=ReplyBody)
    def on_post_reply(self, project_id: str, number: str, body: ReplyBody) -> PullView:
        """Answer one of its comments."""
        project, which = self._named(project_id, number)
        return self._view(
            project, self._orchestrator.pulls.reply(project, which, body.comment, body.body)
        )

    @operation("Settle one of its threads.", PullView, body=ResolveBody)
    def on_post_resolve(self, project_id: str, number: str, body: ResolveBody) -> PullView:
        """Settle one of its threads."""
        project, which = self._named(project_id, number)
        return self._view(project, self._orchestrator.pulls.resolve(project, which, body.thread))

    @operation("Close it without merging.", PullView)
    def on_post_close(self, project_id: str, number: str) -> PullView:
        """Close it without merging."""
        project, which = self._named(project_id, number)
        return self._view(project, self._orchestrator.pulls.close(project, which))

    @operation("Take it out of draft.", PullView)
    def on_post_ready(self, project_id: str, number: str) -> PullView:
        """Take it out of draft."""
        project, which = self._named(project_id, number)
        return self._view(project, self._orchestrator.pulls.ready(project, which))

    @operation("Tell its reviewers again that they are waited for.", PullView)
    def on_post_nudge(self, project_id: str, number: str) -> PullView:
        """Tell its reviewers again."""
        project, which = self._named(project_id, number)
        return PullView.of(project, self._orchestrator.pulls.remind(project, which))

    @operation("Take it out of the merge queue, or have it not merged by itself.", PullView)
    def on_post_leave_queue(self, project_id: str, number: str) -> PullView:
        """Have the forge not merge it later."""
        project, which = self._named(project_id, number)
        return PullView.of(project, self._orchestrator.pulls.leave_queue(project, which))

    @operation("Run its checks again.", PullView)
    def on_post_rerun(self, project_id: str, number: str) -> PullView:
        """Run the checks of its head again."""
        project, which = self._named(project_id, number)
        return self._view(project, self._orchestrator.pulls.rerun(project, which))
