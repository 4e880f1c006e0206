"""The forge: asks GitHub for what is due, answers from what it last knew, and acts on pull requests.

``survey`` is called at every tick and asks only for branches whose time has come. What could not be
asked when it was due is unknown; the rest keeps the time at which it was seen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ennio.clock import Clock
from ennio.config.model import Project
from ennio.errors import Conflict, EnnioError, Invalid, NotFound, Refused, Unreachable
from ennio.facts import ForgeSeen, Sighting
from ennio.plugins.github.budget import GRAPHQL
from ennio.plugins.github.client import Client
from ennio.plugins.scm.github.asking import Asking, Branch
from ennio.plugins.scm.github.landing import land
from ennio.plugins.scm.github.pace import Known, Tempo, renewed
from ennio.plugins.scm.github.questions import READY, REPLY, RESOLVE, Wanted
from ennio.plugins.scm.github.reading import MARK, contexts
from ennio.plugins.scm.github.settings import Settings
from ennio.plugins.scm.interface import Merged, Watch
from ennio.plugins.scm.local.verdict import check_review
from ennio.pulls import MergeMethod, PullRequest, PullState, ReviewState

log = logging.getLogger(__name__)
_EVENTS = {ReviewState.APPROVED: "APPROVE", ReviewState.CHANGES_REQUESTED: "REQUEST_CHANGES", ReviewState.NONE: "COMMENT"}


class GitHubForge:
    """The pull requests of one repository on GitHub or an Enterprise server."""

    name = "github"

    def __init__(self, project: Project, client: Client, clock: Clock, settings: Settings) -> None:
        self.settings = settings
        self.client = client
        self.repository = str(client.address)
        self._project = project
        self._clock = clock
        self._asking = Asking(client, project.path, settings.head_owner or client.address.owner)
        self._known: dict[str, Known] = {}
        self._looking = threading.Lock()

    # --- observations ------------------------------------------------------------------------------

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """See ``Scm.survey``; at most one request for fifty branches that are due, and none while nothing is."""
        with self._looking:
            now = self._clock.now()
            self._known = {watch.session_id: renewed(self._known.get(watch.session_id), watch, now) for watch in watches}
            if any(known.due(now) for known in self._known.values()):
                self._ask([known for known in self._known.values() if known.nearly_due(now)], now)
            return {session_id: known.seen for session_id, known in self._known.items() if known.seen is not None}

    def _ask(self, due: Sequence[Known], now: datetime) -> None:
        by_session = {known.watch.session_id: known for known in due}
        ended: dict[str, Branch] = {}
        for one, answer in self._asking.branches([_wanted(known) for known in due]):
            known = by_session[one.session_id]
            if isinstance(answer, EnnioError):
                self._missed(known, now, str(answer))
            elif _elsewhere(one, answer):
                ended[one.session_id] = answer
            else:
                self._told(known, answer, now)
        for one, answer in self._asking.branches([replace(_wanted(by_session[session_id]), number=None) for session_id in ended]):
            known = by_session[one.session_id]
            if isinstance(answer, EnnioError):
                self._missed(known, now, str(answer))
            else:
                self._told(known, _newer(answer, ended[one.session_id]), now)

    def _missed(self, known: Known, now: datetime, detail: str) -> None:
        """Only what was due is unknown; what would merely have been asked along keeps what it knew."""
        if known.due(now):
            self._known[known.watch.session_id] = known.missed(now, detail, self.name)

    def _told(self, known: Known, branch: Branch, now: datetime) -> None:
        budget = self.client.allowance.budget
        tempo = Tempo(self.settings.pace, budget.stretch(GRAPHQL, now), budget.resets_at(GRAPHQL, now))
        seen = self._seen(known.watch, branch, now)
        current = self._known[known.watch.session_id]
        # a nudge that came while the question was under way asks for one more look
        told = known.told(seen, now, tempo)
        nudged = current.due_at is not None and known.due_at is not None and current.due_at < known.due_at
        self._known[known.watch.session_id] = replace(told, due_at=current.due_at) if nudged else told

    def _seen(self, watch: Watch, branch: Branch, now: datetime) -> ForgeSeen:
        pull, missing = branch.pull, self._hindrance(watch, branch)
        if missing is None and (pull is None or pull.state is not PullState.OPEN):
            try:
                pull = self._opened(watch.branch, watch.base, watch.title, watch.body, draft=self.settings.draft)
            except Unreachable as error:
                # it may be there all the same
                return ForgeSeen(Sighting.UNKNOWN, now, self.name, pull, f"a pull request was to be opened: {error}")
            except EnnioError as error:
                missing = f"no pull request could be opened: {error}"
        if pull is None:
            return ForgeSeen(Sighting.GONE, now, self.name, detail=missing or "")
        return ForgeSeen(Sighting.ALIVE, now, self.name, pull)

    def _hindrance(self, watch: Watch, branch: Branch) -> str | None:
        """Why no pull request is opened for a branch that has none, or None."""
        ended, fork = branch.pull, self.settings.head_owner is not None
        reasons = (
            (ended is not None and ended.state is PullState.OPEN, "there is one"),
            (ended is not None and ended.state is PullState.MERGED and ended.number == watch.number, "its pull request is merged"),
            (not self.settings.auto_open, "pull requests are not opened by themselves here (auto_open is off)"),
            (fork, "it is pushed to a fork; its pull request is opened there"),
            (branch.head is None, f"the branch {watch.branch} is not in {self.repository} yet"),
            (not branch.ahead, f"{watch.branch} has no commits that {watch.base} lacks"),
            (ended is not None and ended.head == branch.head, "its last pull request has ended with this very head"),
            (not watch.resting, "the agent is still at work"),
        )
        return next((words for hinders, words in reasons if hinders), None)

    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """See ``Scm.nudge``."""
        now = self._clock.now()
        for session_id, known in list(self._known.items()):
            if _meant(known, number, ref):
                self._known[session_id] = known.nudged(now)

    def look(self, number: int) -> PullRequest:
        """See ``Scm.look``."""
        return self._asking.one(number)[1]

    def pulls(self) -> Sequence[PullRequest]:
        """See ``Scm.pulls``."""
        return self._asking.all()

    # --- actions -----------------------------------------------------------------------------------

    def open(self, branch: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """See ``Scm.open``."""
        wanted = Wanted("", branch, base)
        ((_, found),) = self._asking.branches([wanted])
        if isinstance(found, EnnioError):
            raise found
        if found.pull is not None and found.pull.state is PullState.OPEN:
            return found.pull
        if self.settings.head_owner is None and found.head is None:
            raise NotFound(f"there is no branch {branch} in {self.repository}; push it first")
        if self.settings.head_owner is None and found.ahead == 0:
            raise Refused(f"there is nothing to merge: {branch} has no commits that {base} lacks; commit and push first")
        return self._opened(branch, base, title, body, draft=draft)

    def _opened(self, branch: str, base: str, title: str, body: str, *, draft: bool) -> PullRequest:
        owner = self.settings.head_owner
        order = {"title": title or branch, "body": body, "head": f"{owner}:{branch}" if owner else branch, "base": base, "draft": draft}
        number = self.client.send("POST", f"{self.client.address.path}/pulls", order)["number"]
        log.info("opened pull request", extra={"project": self._project.id, "number": number})
        return self.look(number)

    def merge(self, number: int, expected_head: str, method: MergeMethod | None = None) -> Merged:
        """See ``Scm.merge``; the commit is empty when GitHub merges it later (queue, auto-merge)."""
        node, _ = self._asking.one(number)
        merged = land(self.client, self.settings, node, expected_head, method)
        self.nudge(number)
        return merged

    def review(
        self, number: int, author: str, decision: ReviewState, body: str, *, path: str | None = None, line: int | None = None
    ) -> PullRequest:
        """See ``Scm.review``; GitHub knows one author, the owner of the token."""
        check_review(author, decision, body, path, line)
        place = self.client.address.path
        if decision is ReviewState.NONE and path is None:
            self.look(number)
            self.client.send("POST", f"{place}/issues/{number}/comments", {"body": body})
        elif path is not None and line is None:
            commit = self.look(number).head
            words = {"body": body, "path": path, "commit_id": commit, "subject_type": "file"}
            self.client.send("POST", f"{place}/pulls/{number}/comments", words)
        else:
            remark = [{"path": path, "line": line, "side": "RIGHT", "body": body}] if path is not None else []
            whole = {"event": _EVENTS[decision], "body": "" if remark else body, "comments": remark}
            self.client.send("POST", f"{place}/pulls/{number}/reviews", whole)
        return self._after(number)

    def reply(self, number: int, comment_id: str, body: str) -> PullRequest:
        """See ``Scm.reply``; what is written carries a hidden mark, so that it is not told to the agent again."""
        if not body.strip():
            raise Invalid("body: is empty; say what was done")
        found = next((comment for comment in self.look(number).comments if comment_id in (comment.id, comment.thread)), None)
        if found is None:
            raise NotFound(f"#{number} has no open comment {comment_id}")
        marked = f"{body.rstrip()}\n\n{MARK}reply -->"
        if found.thread is not None:
            self.client.ask(REPLY, {"thread": found.thread, "body": marked}, action=True)
        else:
            quoted = "\n".join(f"> {line}" for line in found.body.strip().splitlines()[:5])
            self.client.send("POST", f"{self.client.address.path}/issues/{number}/comments", {"body": f"{quoted}\n\n{marked}"})
        return self._after(number)

    def resolve(self, number: int, thread_id: str) -> PullRequest:
        """See ``Scm.resolve``; names a thread or any comment in it."""
        found = next((comment for comment in self.look(number).comments if thread_id in (comment.id, comment.thread)), None)
        if found is None or found.thread is None:
            raise NotFound(f"#{number} has no unresolved thread {thread_id}")
        self.client.ask(RESOLVE, {"thread": found.thread}, action=True)
        return self._after(number)

    def close(self, number: int) -> PullRequest:
        """See ``Scm.close``."""
        pull = self.look(number)
        if pull.state is PullState.MERGED:
            raise Conflict(f"#{number} is merged already; it cannot be closed")
        if pull.state is PullState.OPEN:
            self.client.send("PATCH", f"{self.client.address.path}/pulls/{number}", {"state": "closed"})
        return self._after(number)

    def ready(self, number: int) -> PullRequest:
        """See ``Scm.ready``."""
        node, pull = self._asking.one(number)
        if pull.draft and pull.state is not PullState.OPEN:
            raise Conflict(f"#{number} is {pull.state}; it stays a draft")
        if pull.draft:
            self.client.ask(READY, {"pull": node["id"]}, action=True)
        return self._after(number)

    def rerun(self, number: int) -> PullRequest:
        """Run the failed jobs of Actions again. Raises Refused when none of the checks is theirs."""
        node, pull = self._asking.one(number)
        failing = {run.id for run in pull.failing}
        suites = [context["checkSuite"] for context in contexts(node) if context["id"] in failing and "checkSuite" in context]
        runs = sorted({suite["workflowRun"]["databaseId"] for suite in suites if suite["workflowRun"]})
        if not runs:
            raise Refused(f"#{number} has no failed jobs of GitHub Actions; other checks are run again where they ran")
        for run in runs:
            self.client.send("POST", f"{self.client.address.path}/actions/runs/{run}/rerun-failed-jobs")
        return self._after(number)

    def check(self) -> str | None:
        """See ``Scm.check``: no token, a refused one, a repository it cannot see or not push to."""
        host = self.client.address.host
        if not self.client.authorized:
            return f"there is no token for {host}: set token in scm_config.config, or run `gh auth login --hostname {host}`"
        try:
            repository = self.client.get(self.client.address.path)
        except EnnioError as error:
            return str(error)
        may = repository.get("permissions") or {}
        if not may.get("push", True) and self.settings.head_owner is None:
            return f"the token may read {self.repository} but not push to it: pull requests cannot be opened or merged with it"
        return None

    def _after(self, number: int) -> PullRequest:
        self.nudge(number)
        return self.look(number)


def _wanted(known: Known) -> Wanted:
    """By the number that is known, the session's or the one found since; else by the branch."""
    watch, pull = known.watch, known.seen.pull if known.seen is not None else None
    return Wanted(watch.session_id, watch.branch, watch.base, watch.number or (pull.number if pull is not None else None))


def _elsewhere(one: Wanted, branch: Branch) -> bool:
    """A pull request closed unmerged: the branch may have a newer one."""
    return one.number is not None and branch.pull is not None and branch.pull.state is PullState.CLOSED


def _newer(branch: Branch, ended: Branch) -> Branch:
    """The branch with its newest pull request; a renamed or deleted one still has the one that was known."""
    pull, known = branch.pull, ended.pull
    older = pull is None or (known is not None and known.number > pull.number)
    return replace(branch, pull=known) if older else branch


def _meant(known: Known, number: int | None, ref: str | None) -> bool:
    pull = known.seen.pull if known.seen is not None else None
    numbers = {known.watch.number, pull.number if pull is not None else None} - {None}
    if number is None and ref is None:
        return True
    if number is not None and number in numbers:
        return True
    if ref is not None:
        return ref in (known.watch.branch, pull.head if pull is not None else None, pull.branch if pull is not None else None)
    return not numbers  # a pull request nobody knows may be the first of any branch that has none
