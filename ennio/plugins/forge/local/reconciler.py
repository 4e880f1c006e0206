"""The project's pull requests as the branches now say: rows brought up to date, checks
wanted, conflicts tried.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ennio.config.model import Project
from ennio.model.clock import Clock
from ennio.model.errors import Conflict
from ennio.model.local_forge import PullRow, PullStore
from ennio.model.pulls import CheckState, PullRequest, PullState
from ennio.plugins.forge.interface import Watch
from ennio.plugins.forge.local import progress
from ennio.plugins.forge.local.check_pool import CheckPool, CheckSubject
from ennio.plugins.forge.local.check_run import HERE
from ennio.plugins.forge.local.check_walls import CheckWalls
from ennio.plugins.forge.local.merging import is_deletable
from ennio.plugins.forge.local.progress import BranchRefs
from ennio.plugins.forge.local.pull_view import PullParts, pull_request
from ennio.plugins.forge.local.repository import HEADS, GitRepository, repository_path
from ennio.plugins.forge.local.settings import LocalForgeSettings
from ennio.plugins.trial_merge import TrialMerge

log = logging.getLogger(__name__)
AUTHOR = "ennio"


class PullReconciler:
    """What is known of the repository right now. Not for several threads at once:
    the forge holds its lock.
    """

    def __init__(
        self,
        project: Project,
        store: PullStore,
        directory: Path,
        clock: Clock,
        settings: LocalForgeSettings,
    ) -> None:
        self._project = project
        self._store = store
        self._clock = clock
        self._settings = settings
        self.git = GitRepository(repository_path(project))
        self._pool = CheckPool(
            project.id,
            self.git.path,
            directory,
            store,
            clock,
            slots=settings.check_slots,
            walls=CheckWalls.of(project, HERE, self.git.path),
        )
        self._heads: Mapping[str, str] = {}
        self._merged: dict[str, frozenset[str]] = {}
        self._trials: dict[tuple[str, str], TrialMerge] = {}
        self._recovered = False

    def refresh(
        self, bases: Iterable[str] = (), heads: Mapping[str, str] | None = None
    ) -> BranchRefs:
        """Bring every open pull request up to date with the branches, and its
        checks and conflicts with it.
        """
        heads = self.git.heads() if heads is None else heads
        before = self._store.pulls(self._project.id, PullState.OPEN)
        merged = self._merged_into(heads, {*bases, *(row.base for row in before)})
        refs = BranchRefs(heads, merged, frozenset(row.branch for row in before), self._holds)
        rows = self._advanced(before, refs)
        if not self._recovered:
            self._pool.recover(frozenset(row.head for row in rows))
            self._recovered = True
        for row in rows:
            self._want_checks(row)
        self._try(rows)
        return refs

    def _merged_into(
        self, heads: Mapping[str, str], bases: Iterable[str]
    ) -> Mapping[str, frozenset[str]]:
        """The branches each base holds; git is asked again only when a branch has moved."""
        if heads != self._heads:
            self._heads, self._merged = heads, {}
        for base in bases:
            if base not in self._merged:
                self._merged[base] = self.git.merged(heads[base]) if base in heads else frozenset()
        return self._merged

    def _holds(self, base: str, commit: str) -> bool:
        return self.git.holds(self._heads[base], commit)

    def _advanced(self, rows: Sequence[PullRow], refs: BranchRefs) -> list[PullRow]:
        """The rows that are still open, as the branches now say."""
        now = self._clock.now()
        pairs = [(row, progress.advance(row, refs, now)) for row in rows]
        for before, after in pairs:
            if after != before:
                self._store.save_pull(after)
                log.info(
                    "pull request moved",
                    extra={
                        "project": after.project_id,
                        "number": after.number,
                        "state": after.state,
                    },
                )
            if after.state is PullState.MERGED and refs.heads.get(after.branch) == after.head:
                self._delete_branch(after)
        still_open = [after for _, after in pairs if after.state is PullState.OPEN]
        self.forget({row.head for row in rows} - {row.head for row in still_open})
        return still_open

    def merged_heads(self) -> tuple[str, ...]:
        """The heads that we merged: their commits are where they are by right, also where
        they came there unchanged.
        """
        ended = self._store.pulls(self._project.id, PullState.MERGED)
        return tuple(row.head for row in ended if not row.pushed)

    def _delete_branch(self, row: PullRow) -> None:
        """Let the branch of a pull request that a push has merged go, as with a merge of ours;
        whoever moves it now keeps it.
        """
        if is_deletable(self.git, self._store, self._project, self._settings, row):
            self.git.move(
                [f"delete {HEADS}{row.branch} {row.head}"], f"ennio: #{row.number} is merged"
            )

    def forget(self, heads: Iterable[str]) -> None:
        """End the checks of heads that no open pull request has any more."""
        heads = set(heads)
        needed = (
            {row.head for row in self._store.pulls(self._project.id, PullState.OPEN)}
            if heads
            else set()
        )
        for head in heads - needed:
            self._pool.cancel(head)

    def _want_checks(self, row: PullRow) -> None:
        known = {check.name: check for check in self._store.checks(self._project.id, row.head)}
        for command in self._settings.checks:
            last = known.get(command.name)
            if last is None or (last.state is CheckState.UNKNOWN and last.finished_at is not None):
                self._pool.queue(_subject(row), command, last.run + 1 if last else 1)

    def _try(self, rows: Sequence[PullRow]) -> None:
        """Find out what merging would give, once for each pair of base and head, in one process."""
        wanted = [(self._heads[row.base], row.head) for row in rows if row.base in self._heads]
        known = {pair: self._trials[pair] for pair in wanted if pair in self._trials}
        missing = [pair for pair in wanted if pair not in known]
        self._trials = {**known, **self.git.try_merges(missing)} if missing else known

    def open(self, refs: BranchRefs, watch: Watch, *, draft: bool) -> PullRow:
        """A new pull request for a branch that has commits its base lacks."""
        now, head = self._clock.now(), refs.heads[watch.branch]
        title = watch.title.strip() or self.git.commit(head).subject or watch.branch
        number = self._store.next_number(self._project.id)
        texts = (watch.branch, watch.base, title, watch.body, AUTHOR)
        row = PullRow(self._project.id, number, *texts, draft, PullState.OPEN, head, now, now, now)
        self._store.save_pull(row)
        log.info(
            "opened pull request",
            extra={"project": self._project.id, "session": watch.session_id, "number": number},
        )
        self._want_checks(row)
        pair = (refs.heads[watch.base], head)
        if pair not in self._trials:
            self._trials.update(self.git.try_merges([pair]))
        return row

    def queue(self, row: PullRow) -> None:
        """Run every check of the head once more."""
        runs = {check.name: check.run for check in self._store.checks(self._project.id, row.head)}
        for command in self._settings.checks:
            self._pool.queue(_subject(row), command, runs.get(command.name, 0) + 1)

    def base_head(self, row: PullRow) -> str:
        """The commit the pull request's base points to. Raises Conflict when the base is gone."""
        if row.base not in self._heads:
            raise Conflict(
                f"the base {row.base} of #{row.number} is not in {self.git.path} any more; push "
                "it, or close the pull request"
            )
        return self._heads[row.base]

    def close(self) -> None:
        """End the checks that run."""
        self._pool.close()

    def show(self, row: PullRow) -> PullRequest:
        """The pull request of a row with all that belongs to it."""
        base_head = self._heads.get(row.base)
        trial = self._trials.get((base_head, row.head)) if base_head is not None else None
        checks = {check.name: check for check in self._store.checks(self._project.id, row.head)}
        reviews = self._store.reviews(self._project.id, row.number)
        return pull_request(row, PullParts(base_head, trial, checks, reviews), self._settings)


def _subject(row: PullRow) -> CheckSubject:
    return CheckSubject(row.head, row.branch, row.base, row.number)
