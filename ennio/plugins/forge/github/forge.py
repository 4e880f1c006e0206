"""The forge: tells what became of watched branches, and acts on pull requests."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence

from ennio.config.model import Project
from ennio.model.branch import protector
from ennio.model.changes import Diff, Files
from ennio.model.check_log import CheckLog, LogPart
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, EnnioError, Invalid, NotFound, Refused
from ennio.model.facts import ForgeSeen
from ennio.model.failpoints import asks
from ennio.model.inline_comment import Remark, Side
from ennio.model.pulls import TOLD, Comment, MergeMethod, PullRequest, PullState, ReviewState
from ennio.plugins.forge.github import diffs, merging, reminders
from ennio.plugins.forge.github.graphql import (
    DEQUEUE,
    NO_AUTO_MERGE,
    READY,
    REPLY,
    RESOLVE,
    SETTLE,
    PullQuery,
)
from ennio.plugins.forge.github.parsing import MARK, PERSON, contexts
from ennio.plugins.forge.github.queries import PullQueries
from ennio.plugins.forge.github.settings import GitHubForgeSettings
from ennio.plugins.forge.github.watcher import SOURCE, Watcher
from ennio.plugins.forge.github.whole_log import WholeLogs
from ennio.plugins.forge.interface import Merged, Watch
from ennio.plugins.forge.local.verdict import check_head, check_review
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.web import as_published

log = logging.getLogger(__name__)
_EVENTS = {
    ReviewState.APPROVED: "APPROVE",
    ReviewState.CHANGES_REQUESTED: "REQUEST_CHANGES",
    ReviewState.NONE: "COMMENT",
}
_LIKE_A_REMARK = (
    "a person's order like their remark (request.post.issues.comments), which is played"
)


class GitHubForge:
    """The pull requests of one repository on GitHub or an Enterprise server."""

    name = SOURCE

    def __init__(
        self, project: Project, client: GitHubClient, clock: Clock, settings: GitHubForgeSettings
    ) -> None:
        self.settings = settings
        self.client = client
        self.repository = str(client.address)
        self._project = project
        self._queries = PullQueries(
            client,
            project.path,
            settings.head_owner or client.address.owner,
            include_own=settings.own_comments,
        )
        self._logs = WholeLogs(client)
        self._watcher = Watcher(self._queries, client, clock, settings, self._opened)

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """See ``Forge.survey``; at most one request for fifty branches that are due,
        and none while nothing is.
        """
        return self._watcher.survey(watches)

    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """See ``Forge.nudge``."""
        self._watcher.nudge(number, ref)

    def next_due(self) -> float | None:
        """See ``Paced.next_due``."""
        return self._watcher.next_due()

    def look(self, number: int) -> PullRequest:
        """See ``Forge.look``."""
        return self._queries.one(number)[1]

    def pulls(self) -> Sequence[PullRequest]:
        """See ``Forge.pulls``."""
        return self._queries.all()

    @as_published("GitHub")
    def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        """See ``Forge.open``."""
        wanted = PullQuery("", branch, base)
        ((_, found),) = self._queries.branches([wanted])
        if isinstance(found, EnnioError):
            raise found
        if found.pull is not None and found.pull.state is PullState.OPEN:
            return found.pull
        if self.settings.head_owner is None and found.head is None:
            raise NotFound(f"there is no branch {branch} in {self.repository}; push it first")
        if self.settings.head_owner is None and found.ahead == 0:
            raise Refused(
                f"there is nothing to merge: {branch} has no commits that {base} lacks; commit "
                "and push first"
            )
        return self._opened(branch, base, title, body, draft=draft)

    @as_published("GitHub")
    @asks("post.pulls")
    def _opened(self, branch: str, base: str, title: str, body: str, *, draft: bool) -> PullRequest:
        owner = self.settings.head_owner
        order = {
            "title": title or branch,
            "body": body,
            "head": f"{owner}:{branch}" if owner else branch,
            "base": base,
            "draft": draft,
        }
        number = self.client.send("POST", self.client.address.at("pulls"), order)["number"]
        log.info("opened pull request", extra={"project": self._project.id, "number": number})
        return self.look(number)

    @as_published("GitHub")
    def merge(
        self,
        number: int,
        expected_head: str,
        method: MergeMethod | None = None,
        *,
        force: bool = False,
    ) -> Merged:
        """See ``Forge.merge``; the commit is empty when GitHub merges it later (queue, auto-merge).
        Its own rules stand above any force.
        """
        del force
        node, seen = self._queries.one(number)
        merged = merging.merge(self.client, self.settings, node, seen, expected_head, method)
        if merged.commit and self.settings.delete_branch and not node["isCrossRepository"]:
            self._delete(seen)
        self.nudge(number)
        return merged

    def withdraw(self, number: int) -> None:
        """See ``Revocable.withdraw``."""
        node, _ = self._queries.one(number)
        if node["isInMergeQueue"]:
            self.client.ask(DEQUEUE, {"pull": node["id"]}, action=True)
            self.nudge(number)
        if node["autoMergeRequest"]:
            self.client.ask(NO_AUTO_MERGE, {"pull": node["id"]}, action=True)
            self.nudge(number)

    @asks("delete.git.refs")
    def _delete(self, merged: PullRequest) -> None:
        """Delete the branch that was merged, unless it is protected or went on since; a merge
        asked for again does so too.
        """
        if (
            protector(merged.branch, self._project.default_branch, self._project.protected_branches)
            is not None
        ):
            return
        with contextlib.suppress(NotFound, Refused):  # the repository may delete it by itself
            ((_, found),) = self._queries.branches([PullQuery("", merged.branch, merged.base)])
            if isinstance(found, EnnioError):
                raise found
            if found.head == merged.head:
                self.client.send(
                    "DELETE",
                    self.client.address.at("git", "refs", "heads", *merged.branch.split("/")),
                )

    @asks("post.pulls.comments", "post.pulls.reviews", because=_LIKE_A_REMARK)
    def review(
        self,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        *,
        path: str | None = None,
        line: int | None = None,
        head: str | None = None,
    ) -> PullRequest:
        """See ``Forge.review``; GitHub knows one author, the owner of the token."""
        check_review(author, decision, body, path, line)
        at, seen = self.client.address.at, head
        check_head(number, head := self.look(number).head, seen)
        if decision is ReviewState.NONE and path is None:
            self.client.send(
                "POST", at("issues", number, "comments"), {"body": f"{body.rstrip()}\n\n{PERSON}"}
            )
        elif path is not None and line is None:
            words = {"body": body, "path": path, "commit_id": head, "subject_type": "file"}
            self.client.send("POST", at("pulls", number, "comments"), words)
        else:
            remark = (
                [{"path": path, "line": line, "side": "RIGHT", "body": body}]
                if path is not None
                else []
            )
            whole = {
                "event": _EVENTS[decision],
                "body": "" if remark else body,
                "comments": remark,
                "commit_id": head,
            }
            self.client.send("POST", at("pulls", number, "reviews"), whole)
        return self._after(number)

    @asks("get.pulls.reviews", "post.pulls.reviews")
    def remark(
        self,
        number: int,
        author: str,
        body: str,
        remarks: Sequence[Remark],
        *,
        key: str,
        head: str | None = None,
    ) -> PullRequest:
        """See ``TakesRemarks.remark``; the key stands in a hidden line of the review. GitHub takes
        no remark on a whole file in a review, which so becomes a part of its body.
        """
        reviews, mark = (
            self.client.address.at("pulls", number, "reviews"),
            f"{MARK}review {key} -->",
        )
        if any(mark in (one["body"] or "") for one in self.client.pages(reviews)):
            return self._after(number)
        for one in remarks:
            check_review(author, ReviewState.NONE, one.body, one.path, one.line)
        seen = head
        check_head(number, head := self.look(number).head, seen)
        whole = [body, *(f"{one.path}: {one.body}" for one in remarks if one.line is None)]
        words = "\n\n".join(filter(None, (part.strip() for part in whole)))
        order = {
            "event": "COMMENT",
            "body": f"{words}\n\n{TOLD}\n{mark}" if words else mark,
            "comments": [_inline(one) for one in remarks if one.line is not None],
            "commit_id": head,
        }
        self.client.send("POST", reviews, order)
        return self._after(number)

    @as_published("GitHub")
    def check_log(self, number: int, check: str, part: LogPart) -> CheckLog:
        """See ``Logged.check_log``."""
        return self._logs.read(*self._queries.one(number), check, part)

    @asks("post.issues.comments")
    def reply(self, number: int, comment_id: str, body: str) -> PullRequest:
        """See ``Forge.reply``; what is written carries a hidden mark, so that it is not
        told to the agent again.
        """
        if not body.strip():
            raise Invalid("body: is empty; say what was done")
        found = self._open_comment(number, comment_id)
        marked = f"{body.rstrip()}\n\n{MARK}reply -->"
        if found.thread is not None:
            self.client.ask(REPLY, {"thread": found.thread, "body": marked}, action=True)
        else:
            quoted = "\n".join(f"> {line}" for line in found.body.strip().splitlines()[:5])
            self.client.send(
                "POST",
                self.client.address.at("issues", number, "comments"),
                {"body": f"{quoted}\n\n{marked}"},
            )
        return self._after(number)

    def _open_comment(self, number: int, name: str) -> Comment:
        """The unsettled comment of this id, or the first of the thread of this id."""
        found = next(
            (
                comment
                for comment in self.look(number).comments
                if name in (comment.id, comment.thread)
            ),
            None,
        )
        if found is None:
            raise NotFound(f"#{number} has no open comment or thread {name}")
        return found

    def resolve(self, number: int, thread_id: str) -> PullRequest:
        """See ``Forge.resolve``; a comment in no thread is hidden as resolved."""
        found = self._open_comment(number, thread_id)
        if found.thread is not None:
            self.client.ask(RESOLVE, {"thread": found.thread}, action=True)
        else:
            self.client.ask(SETTLE, {"comment": found.id}, action=True)
        return self._after(number)

    @as_published("GitHub")
    def files(self, number: int) -> Files:
        """See ``Readable.files``."""
        return diffs.files(self.client, number, self.look(number).head)

    @as_published("GitHub")
    def diff(self, number: int) -> Diff:
        """See ``Readable.diff``."""
        return diffs.diff(self.client, number, self.look(number).head)

    @asks("patch.pulls")
    def close(self, number: int) -> PullRequest:
        """See ``Forge.close``."""
        pull = self.look(number)
        if pull.state is PullState.MERGED:
            raise Conflict(f"#{number} is merged already; it cannot be closed")
        if pull.state is PullState.OPEN:
            self.client.send("PATCH", self.client.address.at("pulls", number), {"state": "closed"})
        return self._after(number)

    def ready(self, number: int) -> PullRequest:
        """See ``Forge.ready``."""
        node, pull = self._queries.one(number)
        if pull.draft and pull.state is not PullState.OPEN:
            raise Conflict(f"#{number} is {pull.state}; it stays a draft")
        if pull.draft:
            self.client.ask(READY, {"pull": node["id"]}, action=True)
        return self._after(number)

    @asks(
        "post.actions.runs.rerun-failed-jobs",
        because="a person's order; to run checks once more changes nothing",
    )
    def rerun(self, number: int) -> PullRequest:
        """Run the failed jobs of Actions again. Raises Refused when none
        of the checks is theirs.
        """
        node, pull = self._queries.one(number)
        failing = {run.id for run in pull.failing}
        suites = [
            context["checkSuite"]
            for context in contexts(node)
            if context["id"] in failing and "checkSuite" in context
        ]
        runs = sorted(
            {suite["workflowRun"]["databaseId"] for suite in suites if suite["workflowRun"]}
        )
        if not runs:
            raise Refused(
                f"#{number} has no failed jobs of GitHub Actions; other checks are run again "
                "where they ran"
            )
        for run in runs:
            self.client.send(
                "POST", self.client.address.at("actions", "runs", run, "rerun-failed-jobs")
            )
        return self._after(number)

    def remind(self, number: int) -> PullRequest:
        """Tell its reviewers again. Raises Refused where nobody is asked."""
        reminders.remind(self.client, self.look(number))
        return self._after(number)

    @as_published("GitHub")
    @asks("get.repository")
    def check(self) -> str | None:
        """See ``Forge.check``: no token, a refused one, a repository it cannot see or not push to."""  # noqa: E501
        if not self.client.is_authorized:
            return self.client.missing
        try:
            repository = self.client.get(self.client.address.at())
        except EnnioError as error:
            return str(error)
        may = repository.get("permissions") or {}
        if not may.get("push", True) and self.settings.head_owner is None:
            return (
                f"the token may read {self.repository} but not push to it: pull requests cannot "
                "be opened or merged with it"
            )
        return None

    def _after(self, number: int) -> PullRequest:
        self.nudge(number)
        return self.look(number)


def _inline(remark: Remark) -> dict[str, object]:
    side = "LEFT" if remark.side is Side.OLD else "RIGHT"
    place = {"path": remark.path, "line": remark.line, "side": side}
    first = {} if remark.first is None else {"start_line": remark.first, "start_side": side}
    return {**place, **first, "body": f"{remark.body.rstrip()}\n\n{TOLD}"}
