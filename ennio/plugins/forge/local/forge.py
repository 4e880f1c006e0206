"""The forge itself: opens, sees, reviews and merges the pull requests of one local repository.

One lock makes every call see and change the store as if it were alone. What others do to the
repository meanwhile is met by compare-and-swap: see ``merging.py``.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ennio.config.model import Project
from ennio.model.changes import Diff, Files
from ennio.model.check_log import CheckLog, LogPart
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, EnnioError, Invalid, NotFound, Refused
from ennio.model.facts import ForgeSeen, Presence
from ennio.model.inline_comment import Remark
from ennio.model.local_forge import PullRow, PullStore, ReviewRow
from ennio.model.pulls import TOLD, MergeMethod, PullRequest, PullState, ReviewState
from ennio.plugins.forge.interface import Merged, Watch
from ennio.plugins.forge.local import diffs, guard, progress, whole_log
from ennio.plugins.forge.local.cached_store import CachedPullStore
from ennio.plugins.forge.local.comment_place import check_place
from ennio.plugins.forge.local.direct_pushes import commits_made_in, direct_pushes
from ennio.plugins.forge.local.merge_commit import MergeSpec
from ennio.plugins.forge.local.merging import (
    WAY_OUT,
    is_deletable,
    merge_onto_base,
    refusal_of,
    retry_merge,
)
from ennio.plugins.forge.local.progress import BranchRefs
from ennio.plugins.forge.local.reconciler import PullReconciler
from ennio.plugins.forge.local.settings import LocalForgeSettings
from ennio.plugins.forge.local.verdict import DECISIVE, check_head, check_review

log = logging.getLogger(__name__)
RECENT = 50


class LocalForge:
    """Pull requests over plain git: branches in a repository, everything else in the store."""

    name = "local"

    def __init__(
        self,
        project: Project,
        store: PullStore,
        directory: Path,
        clock: Clock,
        settings: LocalForgeSettings,
        hub: Path | None = None,
    ) -> None:
        self.settings = settings
        self._project = project
        self._store = store = CachedPullStore(store)
        self._clock = clock
        self._pulls = PullReconciler(project, store, directory, clock, settings)
        self.repository = str(self._pulls.git.path)
        self._lock = threading.RLock()
        self._last: tuple[object, Mapping[Watch, ForgeSeen]] | None = None
        self._bases: Mapping[str, str] = {}
        self._direct_pushes: Mapping[str, str] = {}
        self._hub = hub

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """See ``Forge.survey``; a repository that cannot be read leaves every session unknown."""
        with self._lock:
            now = self._clock.now()
            try:
                return self._surveyed(tuple(watches), now)
            except EnnioError as error:
                self._last = None
                return {
                    watch.session_id: ForgeSeen(Presence.UNKNOWN, now, self.name, detail=str(error))
                    for watch in watches
                }

    def _surveyed(self, watches: tuple[Watch, ...], now: datetime) -> Mapping[str, ForgeSeen]:
        """What is there; while neither a branch nor a row has changed, no answer
        that was given has either.
        """
        state = (self._pulls.git.heads(), self._store.revision)
        answers = self._last[1] if self._last is not None and self._last[0] == state else {}
        if any(watch not in answers for watch in watches):
            refs = self._pulls.refresh({watch.base for watch in watches}, state[0])
            self._look_for_direct_pushes(watches, refs)
            answers = {
                watch: answers[watch] if watch in answers else self._seen(watch, refs)
                for watch in watches
            }
            # rows saved meanwhile, by us or by a check that ended, may not be in it yet
            self._last = (state, answers) if self._store.revision == state[1] else None
        return {watch.session_id: replace(answers[watch], at=now) for watch in watches}

    def _look_for_direct_pushes(self, watches: tuple[Watch, ...], refs: BranchRefs) -> None:
        """Whose commits are on a base by a push; asked when the base has moved, and of what the
        working copies say by then.
        """
        bases = {
            watch.base: refs.heads[watch.base] for watch in watches if watch.base in refs.heads
        }
        for base, head in bases.items():
            if self._bases.get(base) != head:
                based = [one for one in watches if one.base == base and one.workspace is not None]
                made = {one.session_id: commits_made_in(Path(one.workspace or "")) for one in based}
                self._direct_pushes = {
                    **self._direct_pushes,
                    **direct_pushes(self._pulls.git, head, made, self._pulls.merged_heads()),
                }
        watched = {watch.session_id for watch in watches}
        self._bases, self._direct_pushes = (
            bases,
            {one: commit for one, commit in self._direct_pushes.items() if one in watched},
        )

    def look(self, number: int) -> PullRequest:
        """See ``Forge.look``."""
        with self._lock:
            self._pulls.refresh()
            return self._pulls.show(self._need(number))

    def pulls(self) -> Sequence[PullRequest]:
        """Every open pull request, and the fifty that ended last; by number."""
        with self._lock:
            self._pulls.refresh()
            rows = self._store.pulls(self._project.id)
            ended = sorted(
                (row for row in rows if row.state is not PullState.OPEN),
                key=lambda row: row.updated_at,
            )
            kept = {row.number for row in ended[-RECENT:]}
            return [
                self._pulls.show(row)
                for row in rows
                if row.state is PullState.OPEN or row.number in kept
            ]

    def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        """See ``Forge.open``. Raises NotFound for a branch or base the repository does not have."""
        with self._lock:
            refs = self._pulls.refresh({base})
            for name in (branch, base):
                if name not in refs.heads:
                    raise NotFound(f"there is no branch {name} in {self.repository}; push it first")
            row = self._store.pull_of(self._project.id, branch)
            if row is not None and row.state is PullState.OPEN:
                return self._pulls.show(row)
            if not refs.is_ahead(branch, base):
                raise Refused(
                    f"there is nothing to merge: {branch} has no commits that {base} lacks; "
                    "commit and push first"
                )
            return self._pulls.show(
                self._pulls.open(refs, Watch("", branch, base, title=title, body=body), draft=draft)
            )

    def merge(
        self,
        number: int,
        expected_head: str,
        method: MergeMethod | None = None,
        *,
        force: bool = False,
    ) -> Merged:
        """See ``Forge.merge``. The branch's head is verified in the
        transaction that moves the base.
        """
        base = self._need(number).base
        return retry_merge(
            lambda: self._merge_once(number, expected_head, method, force=force), base
        )

    def _merge_once(
        self, number: int, expected_head: str, method: MergeMethod | None, *, force: bool
    ) -> Merged | str:
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            if row.state is PullState.MERGED:
                return _again(row, expected_head)
            reviews = self._store.reviews(self._project.id, number)
            refusal = refusal_of(row, expected_head, reviews, self.settings, force=force)
            if refusal is not None:
                raise refusal
            git, method = self._pulls.git, method or self.settings.merge_method
            spec = MergeSpec(
                row, self._pulls.base_head(row), method, git.identity(), self._clock.now()
            )
            commit, words = merge_onto_base(
                git,
                self._store,
                spec,
                gone=is_deletable(git, self._store, self._project, self.settings, row),
            )
            if words is not None:
                return words
            self._store.save_pull(progress.merged(row, commit, self._clock.now(), by_push=False))
            self._pulls.forget({row.head})
            log.info(
                "merged pull request",
                extra={"project": self._project.id, "number": number, "commit": commit},
            )
            return Merged(commit, f"merged {row.branch} into {row.base} by {method}")

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
        """See ``Forge.review``. Raises Conflict for a decision on a pull request that has ended."""
        with self._lock:
            refs = self._pulls.refresh()
            row = self._need(number)
            check_review(author, decision, body, path, line)
            check_head(number, row.head, head)
            if decision in DECISIVE and row.state is not PullState.OPEN:
                raise Conflict(f"#{number} is {row.state}; only comments can be added to it")
            if path is not None:
                check_place(self._pulls.git, row, refs.heads.get(row.base), path, line)
            bot = author.endswith("[bot]") or author in self._project.bots
            words = (author, decision, body, path, line, row.head)
            review = ReviewRow(
                str(uuid.uuid4()), self._project.id, number, *words, self._clock.now(), bot=bot
            )
            self._store.save_review(review)
            return self._pulls.show(row)

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
        """See ``TakesRemarks.remark``; a range is known by its last line."""
        whole = [Remark("", body)] if body.strip() else []
        with self._lock:
            refs = self._pulls.refresh()
            row, now = self._need(number), self._clock.now()
            check_head(number, row.head, head)
            said = [(one.path or None, one.line, one.body) for one in (*remarks, *whole)]
            for path, line, words in said:
                check_review(author, ReviewState.NONE, words, path, line)
            base = refs.heads.get(row.base)
            for one in remarks:
                check_place(self._pulls.git, row, base, one.path, one.line, one.side)
            for index, (path, line, words) in enumerate(said):
                name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{key}/{index}"))
                told = (author, ReviewState.NONE, f"{words.rstrip()}\n\n{TOLD}", path, line)
                self._store.save_review(
                    ReviewRow(name, self._project.id, number, *told, row.head, now)
                )
            return self._pulls.show(row)

    def check_log(self, number: int, check: str, part: LogPart) -> CheckLog:
        """See ``Logged.check_log``."""
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
        return whole_log.read(row, self._store.checks(self._project.id, row.head), check, part)

    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """See ``Forge.nudge``; every tick looks anyway."""

    def reply(self, number: int, comment_id: str, body: str) -> PullRequest:
        """See ``Forge.reply``; it stands in the name of the pull request's author."""
        if not body.strip():
            raise Invalid("body: is empty; say what was done")
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            about = self._remark(number, comment_id)
            words = (row.author, ReviewState.NONE, body, about.path, about.line, row.head)
            self._store.save_review(
                ReviewRow(str(uuid.uuid4()), self._project.id, number, *words, self._clock.now())
            )
            return self._pulls.show(row)

    def resolve(self, number: int, thread_id: str) -> PullRequest:
        """See ``Forge.resolve``; of a thread every comment is settled, named alone just the one."""
        with self._lock:
            self._pulls.refresh()
            shown = self._pulls.show(self._need(number)).comments
        ids = [comment.id for comment in shown if comment.thread == thread_id] or [thread_id]
        return [self._settle(number, comment_id, dismissed=False) for comment_id in ids][-1]

    def dismiss(self, number: int, review_id: str) -> PullRequest:
        """Make a review count no longer. Raises NotFound."""
        return self._settle(number, review_id, dismissed=True)

    def files(self, number: int) -> Files:
        """See ``Readable.files``."""
        with self._lock:
            refs = self._pulls.refresh()
            row = self._need(number)
        return diffs.files(self._pulls.git, row, refs.heads.get(row.base))

    def diff(self, number: int) -> Diff:
        """See ``Readable.diff``."""
        with self._lock:
            refs = self._pulls.refresh()
            row = self._need(number)
        return diffs.diff(self._pulls.git, row, refs.heads.get(row.base))

    def close(self, number: int) -> PullRequest:
        """See ``Forge.close``."""
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            if row.state is PullState.MERGED:
                raise Conflict(f"#{number} is merged already; it cannot be closed")
            if row.state is PullState.OPEN:
                row = progress.closed(row, self._clock.now())
                self._store.save_pull(row)
                self._pulls.forget({row.head})
            return self._pulls.show(row)

    def ready(self, number: int) -> PullRequest:
        """See ``Forge.ready``. Raises Conflict for a draft that has been closed."""
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            if row.draft and row.state is not PullState.OPEN:
                raise Conflict(f"#{number} is {row.state}; it stays a draft")
            if row.draft:
                row = replace(row, draft=False, updated_at=self._clock.now())
                self._store.save_pull(row)
            return self._pulls.show(row)

    def rerun(self, number: int) -> PullRequest:
        """Run every check of the head again. Raises NotFound, Conflict (it has ended),
        Refused (there are none).
        """
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            if row.state is not PullState.OPEN:
                raise Conflict(f"#{number} is {row.state}; its checks are not run again")
            if not self.settings.checks:
                raise Refused(
                    f"project {self._project.id} has no checks: list them under scm_config.config.checks"  # noqa: E501
                )
            self._pulls.queue(row)
            return self._pulls.show(row)

    def check(self) -> str | None:
        """See ``Forge.check``; also tells when merges would be refused because
        the base is checked out.
        """
        base = self._project.default_branch
        try:
            if base not in self._pulls.git.heads():
                return (
                    f"{self.repository} has no branch {base}: commit to it once, or set "
                    "default_branch"
                )
            where = self._pulls.git.checked_out(base)
        except EnnioError as error:
            return str(error)
        if where is None:
            return None if self._hub is None else guard.trouble(self._hub)
        return f"merges into {base} will be refused while it is checked out in {where}: {WAY_OUT}"

    def shutdown(self) -> None:
        """End the checks that run, with their processes; they run again after the next start."""
        self._pulls.close()

    def _seen(self, watch: Watch, refs: BranchRefs) -> ForgeSeen:
        row = self._found(watch)
        missing = (
            None
            if row is not None and row.state is PullState.OPEN
            else self._why_not_opened(watch, refs, row)
        )
        if missing is None and (row is None or row.state is not PullState.OPEN):
            row = self._pulls.open(refs, watch, draft=self.settings.draft)
        pushed = self._direct_pushes.get(watch.session_id)
        if row is None:
            return ForgeSeen(
                Presence.GONE, self._clock.now(), self.name, detail=missing or "", pushed=pushed
            )
        return ForgeSeen(
            Presence.ALIVE, self._clock.now(), self.name, self._pulls.show(row), pushed=pushed
        )

    def _found(self, watch: Watch) -> PullRow | None:
        """The session's pull request: by number, unless it is closed and the branch has a
        newer one; else by branch.
        """
        numbered = (
            self._store.pull(self._project.id, watch.number) if watch.number is not None else None
        )
        if numbered is not None and numbered.state is not PullState.CLOSED:
            return numbered
        newest = self._store.pull_of(self._project.id, watch.branch)
        return (
            newest
            if newest is not None and (numbered is None or newest.number > numbered.number)
            else numbered
        )

    def _why_not_opened(self, watch: Watch, refs: BranchRefs, ended: PullRow | None) -> str | None:
        """Why no pull request is opened for a branch that has none, or None."""
        done = (
            ended is not None and ended.state is PullState.MERGED and ended.number == watch.number
        )
        reasons = (
            (done, "its pull request is merged"),
            (
                not self.settings.auto_open,
                "pull requests are not opened by themselves here (auto_open is off)",
            ),
            (
                watch.base not in refs.heads,
                f"the base branch {watch.base} is not in {self.repository}",
            ),
            (
                watch.branch not in refs.heads,
                f"the branch {watch.branch} is not in {self.repository} yet",
            ),
            (
                not refs.is_ahead(watch.branch, watch.base),
                f"{watch.branch} has no commits that {watch.base} lacks",
            ),
            (
                ended is not None and refs.heads.get(watch.branch) == ended.head,
                "its last pull request has ended with this very head",
            ),
            (not watch.idle, "the agent is still at work"),
        )
        return next((words for holds, words in reasons if holds), None)

    def _settle(self, number: int, review_id: str, *, dismissed: bool) -> PullRequest:
        with self._lock:
            self._pulls.refresh()
            row = self._need(number)
            found = self._remark(number, review_id)
            self._store.save_review(
                replace(found, dismissed=True) if dismissed else replace(found, resolved=True)
            )
            return self._pulls.show(row)

    def _remark(self, number: int, review_id: str) -> ReviewRow:
        found = next(
            (
                review
                for review in self._store.reviews(self._project.id, number)
                if review.id == review_id
            ),
            None,
        )
        if found is None:
            raise NotFound(f"#{number} has no comment or review {review_id}")
        return found

    def _need(self, number: int) -> PullRow:
        row = self._store.pull(self._project.id, number)
        if row is None:
            raise NotFound(f"project {self._project.id} has no pull request #{number}")
        return row


def _again(row: PullRow, expected_head: str) -> Merged:
    if row.head != expected_head or row.merge_commit is None:
        raise Conflict(
            f"#{row.number} was merged with head {row.head[:10]}, not {expected_head[:10]}"
        )
    return Merged(row.merge_commit, "it was merged already")
