"""A forge in memory: branches are pushed, checked and made to conflict by whoever plays with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ennio.model.changes import Diff, FileChange, Files
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, EnnioError, Invalid, NotFound, Refused
from ennio.model.facts import ForgeSeen, Presence
from ennio.model.local_forge import ReviewRow
from ennio.model.pulls import (
    Check,
    Mergeability,
    MergeMethod,
    PullRequest,
    PullState,
    ReviewState,
    roll_up,
)
from ennio.plugins.forge.interface import Merged, Watch
from ennio.plugins.forge.local.verdict import (
    DECISIVE,
    check_head,
    check_review,
    decided,
    opinions,
    unanswered,
)
from ennio.plugins.registry import PluginContext

AUTHOR = "ennio"


class StubForge:
    """Keeps pull requests as long as the process lives; ``trouble`` is raised by
    every call while it is set.
    """

    name = "stub"
    repository = "stub"

    def __init__(self, clock: Clock, base: str = "main") -> None:
        self.trouble: EnnioError | None = None
        self._clock = clock
        self._heads: dict[str, str] = {base: _commit(base, 0)}
        self._pulls: dict[int, PullRequest] = {}
        self._reviews: dict[int, list[ReviewRow]] = {}
        self._pushes = 0

    def push(self, branch: str) -> str:
        """Give the branch a new head, on its open pull request too, and return it."""
        self._pushes += 1
        head = self._heads[branch] = _commit(branch, self._pushes)
        for pull in self._open_pulls():
            if pull.branch == branch:
                self._keep(replace(pull, head=head, head_since=self._clock.now(), check_runs=()))
        return head

    def report(self, number: int, *checks: Check) -> None:
        """Let these be the checks of a pull request's head."""
        self._keep(replace(self._need(number), check_runs=checks))

    def conflict(self, number: int, *files: str) -> None:
        """Let a pull request conflict in these files; none: it merges cleanly."""
        state = Mergeability.CONFLICTING if files else Mergeability.CLEAN
        self._keep(replace(self._need(number), mergeability=state, conflicts=files))

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """See ``Forge.survey``."""
        return {watch.session_id: self._seen(watch) for watch in watches}

    def look(self, number: int) -> PullRequest:
        """See ``Forge.look``."""
        self._reach()
        return self._need(number)

    def pulls(self) -> Sequence[PullRequest]:
        """See ``Forge.pulls``."""
        self._reach()
        return [self._need(number) for number in self._pulls]

    def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        """See ``Forge.open``; the body is not kept."""
        self._reach()
        del body
        for name in (branch, base):
            if name not in self._heads:
                raise NotFound(f"there is no branch {name}; push it first")
        found = next((pull for pull in self._open_pulls() if pull.branch == branch), None)
        if found is not None:
            return self._need(found.number)
        if self._is_merged(branch, base):
            raise Refused(f"there is nothing to merge: {branch} has no commits that {base} lacks")
        number, head = len(self._pulls) + 1, self._heads[branch]
        pull = PullRequest(
            number,
            f"stub://pull/{number}",
            title or branch,
            branch,
            base,
            head,
            PullState.OPEN,
            draft,
            self._heads[base],
        )
        self._keep(replace(pull, mergeability=Mergeability.CLEAN, head_since=self._clock.now()))
        return self._need(number)

    def merge(
        self,
        number: int,
        expected_head: str,
        method: MergeMethod | None = None,
        *,
        force: bool = False,
    ) -> Merged:
        """See ``Forge.merge``; every method gives the same, and nothing is wanted first."""
        self._reach()
        del method, force
        pull = self._need(number)
        if pull.head != expected_head:
            raise Conflict(
                f"the head of #{number} is {pull.head[:10]}, expected was {expected_head[:10]}"
            )
        if pull.merge_commit is not None:
            return Merged(pull.merge_commit)
        if pull.state is PullState.CLOSED or pull.draft:
            raise Refused(
                f"#{number} is {'closed' if pull.state is PullState.CLOSED else 'a draft'}"
            )
        if pull.mergeability is Mergeability.CONFLICTING:
            raise Conflict(f"#{number} conflicts in {', '.join(pull.conflicts)}")
        commit = self.push(pull.base)
        self._keep(
            replace(
                pull, state=PullState.MERGED, merge_commit=commit, mergeability=Mergeability.UNKNOWN
            )
        )
        return Merged(commit)

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
        """See ``Forge.review``; an approval of an earlier head counts, as on
        forges that do not dismiss it.
        """
        self._reach()
        pull = self._need(number)
        check_review(author, decision, body, path, line)
        check_head(number, pull.head, head)
        if decision in DECISIVE and pull.state is not PullState.OPEN:
            raise Conflict(f"#{number} is {pull.state}; only comments can be added to it")
        words = (author, decision, body, path, line, pull.head)
        bot = author.endswith("[bot]")
        self._reviews.setdefault(number, []).append(
            ReviewRow(str(uuid.uuid4()), "stub", number, *words, self._clock.now(), bot=bot)
        )
        return self._need(number)

    def files(self, number: int) -> Files:
        """See ``Readable.files``: every head changes one file."""
        pull = self.look(number)
        return Files(
            pull.base_head or "", pull.head, (FileChange(f"{pull.branch}.txt", "added", 1, 0),)
        )

    def diff(self, number: int) -> Diff:
        """See ``Readable.diff``."""
        pull = self.look(number)
        name = f"{pull.branch}.txt"
        text = (
            f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
            f"@@ -0,0 +1 @@\n+{pull.head}\n"
        )
        return Diff(pull.base_head or "", pull.head, text)

    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """See ``Forge.nudge``; every survey looks."""

    def reply(self, number: int, comment_id: str, body: str) -> PullRequest:
        """See ``Forge.reply``."""
        self._reach()
        pull = self._need(number)
        if not body.strip():
            raise Invalid("body: is empty; say what was done")
        about = self._remark(number, comment_id)
        words = (AUTHOR, ReviewState.NONE, body, about.path, about.line, pull.head)
        self._reviews[number].append(
            ReviewRow(str(uuid.uuid4()), "stub", number, *words, self._clock.now())
        )
        return self._need(number)

    def resolve(self, number: int, thread_id: str) -> PullRequest:
        """See ``Forge.resolve``."""
        self._reach()
        shown = self._need(number).comments
        ids = {comment.id for comment in shown if comment.thread == thread_id} or {
            self._remark(number, thread_id).id
        }
        self._reviews[number] = [
            replace(row, resolved=True) if row.id in ids else row for row in self._reviews[number]
        ]
        return self._need(number)

    def _remark(self, number: int, comment_id: str) -> ReviewRow:
        found = next((row for row in self._reviews.get(number, []) if row.id == comment_id), None)
        if found is None:
            raise NotFound(f"#{number} has no comment {comment_id}")
        return found

    def close(self, number: int) -> PullRequest:
        """See ``Forge.close``."""
        self._reach()
        pull = self._need(number)
        if pull.state is PullState.MERGED:
            raise Conflict(f"#{number} is merged already; it cannot be closed")
        self._keep(replace(pull, state=PullState.CLOSED, mergeability=Mergeability.UNKNOWN))
        return self._need(number)

    def ready(self, number: int) -> PullRequest:
        """See ``Forge.ready``."""
        self._reach()
        self._keep(replace(self._need(number), draft=False))
        return self._need(number)

    def check(self) -> str | None:
        """See ``Forge.check``."""
        return str(self.trouble) if self.trouble is not None else None

    def _seen(self, watch: Watch) -> ForgeSeen:
        now = self._clock.now()
        if self.trouble is not None:
            return ForgeSeen(Presence.UNKNOWN, now, self.name, detail=str(self.trouble))
        pull = self._found(watch)
        settled = pull is not None and (
            pull.state is PullState.OPEN
            or pull.head == self._heads.get(watch.branch)
            or (pull.state is PullState.MERGED and pull.number == watch.number)
        )
        if watch.idle and not settled and not self._is_merged(watch.branch, watch.base):
            pull = self.open(watch.branch, watch.base, watch.title, watch.body)
        if pull is None:
            return ForgeSeen(Presence.GONE, now, self.name)
        return ForgeSeen(Presence.ALIVE, now, self.name, self._need(pull.number))

    def _found(self, watch: Watch) -> PullRequest | None:
        numbered = self._pulls.get(watch.number or 0)
        if numbered is not None and numbered.state is not PullState.CLOSED:
            return numbered
        return next(
            (pull for pull in reversed(self._pulls.values()) if pull.branch == watch.branch),
            numbered,
        )

    def _is_merged(self, branch: str, base: str) -> bool:
        """The branch has nothing its base lacks: it is not there, or its head is
        merged, or it is the base.
        """
        head = self._heads.get(branch)
        merged = {pull.head for pull in self._pulls.values() if pull.state is PullState.MERGED}
        return (
            base not in self._heads or head is None or head in merged or head == self._heads[base]
        )

    def _open_pulls(self) -> list[PullRequest]:
        return [pull for pull in self._pulls.values() if pull.state is PullState.OPEN]

    def _keep(self, pull: PullRequest) -> None:
        self._pulls[pull.number] = pull

    def _need(self, number: int) -> PullRequest:
        pull = self._pulls.get(number)
        if pull is None:
            raise NotFound(f"there is no pull request #{number}")
        reviews = self._reviews.get(number, [])
        return replace(
            pull,
            base_head=self._heads.get(pull.base),
            checks=roll_up(pull.check_runs),
            review=decided(reviews, required=False),
            comments=unanswered(reviews, AUTHOR, pull.url),
            opinions=opinions(reviews),
        )

    def _reach(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def build(context: PluginContext) -> StubForge:
    """An empty forge whose base is the project's default branch."""
    return StubForge(
        context.clock, context.project.default_branch if context.project is not None else "main"
    )


def _commit(branch: str, number: int) -> str:
    return hashlib.sha1(f"{branch} {number}".encode(), usedforsecurity=False).hexdigest()
