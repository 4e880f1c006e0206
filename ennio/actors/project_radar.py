"""The branches of one project on one host: which of them have new heads, and which of these would
not merge with each other.

Heads are looked up in files. Git is asked only about heads that are new, and about each pair of
them once; a look takes on so many and leaves the rest for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ennio.actors.dependencies import Dependencies
from ennio.actors.session_context import brief
from ennio.config.model import Project
from ennio.hosts.brief import BranchAt, MergePair
from ennio.hosts.interface import Host
from ennio.model.conflicts import BranchChanges, BranchDiff, ExpectedConflict, SessionPair
from ennio.model.errors import NotFound, Refused
from ennio.model.events import Draft
from ennio.model.pulls import Mergeability
from ennio.model.session import Session
from ennio.plugins.trial_merge import TrialMerge
from ennio.policy import radar
from ennio.policy.radar import Footprint

MOST_BRANCHES = 20
"""New heads that one look asks about."""
MOST_PAIRS = 50
"""Pairs that one look tries."""
MOST_WAITING = 2000
"""Pairs that wait to be tried; more of them are left out, and said."""
Drafts = Mapping[str, Draft]


@dataclass(slots=True)
class ProjectRadar:
    """What is known of them. Only one look is under way at a time.

    ``problem`` says why pairs could not be tried; ``left_out`` counts those there was no room for.
    """

    deps: Dependencies
    project: Project
    host: Host
    problem: str = ""
    left_out: int = 0
    tried: int = 0
    _branches: dict[str, Footprint] = field(default_factory=dict)
    _waiting: set[SessionPair] = field(default_factory=set)
    _expected: dict[SessionPair, ExpectedConflict] | None = None

    @property
    def waiting(self) -> int:
        """How many pairs wait to be tried."""
        return len(self._waiting)

    def look(self, living: Mapping[str, Session]) -> bool:
        """Look at those that live; whether there is more to do. Raises Unreachable."""
        self._forget(living)
        briefs = {name: brief(session, self.project) for name, session in living.items()}
        heads = self.host.branch_heads(tuple(briefs.values())) if briefs else {}
        new = [
            BranchAt(briefs[name], head)
            for name, head in heads.items()
            if name not in self._branches or self._branches[name].head != head
        ]
        if new:
            self._learn(new[:MOST_BRANCHES], living)
        if self._waiting:
            self._try(living)
        return len(new) > MOST_BRANCHES or bool(self._waiting)

    # --- who is there -----------------------------------------------------------------------------

    def _known(self) -> dict[SessionPair, ExpectedConflict]:
        """What is expected now, as the store has it."""
        if self._expected is None:
            store = self.deps.store
            rows = store.conflicts.list(self.project.id)
            hosts = {row.one: store.sessions.get(row.one) for row in rows}
            self._expected = {
                row.pair: row
                for row in rows
                if (one := hosts[row.one]) is None or one.host == self.host.name
            }
        return self._expected

    def _forget(self, living: Mapping[str, Session]) -> None:
        for name in self._branches.keys() - living.keys():
            del self._branches[name]
        self._waiting = {
            pair for pair in self._waiting if pair.one in living and pair.other in living
        }
        for pair, row in tuple(self._known().items()):
            ended = [name for name in (pair.one, pair.other) if name not in living]
            if ended:
                self._end(row, f"{ended[0]} is over", living)

    # --- what they change -------------------------------------------------------------------------

    def _learn(self, new: Sequence[BranchAt], living: Mapping[str, Session]) -> None:
        told = self.host.branch_changes(new)
        for name, one in told.items():
            self._count(name, one)
        self._branches.update((name, Footprint.of(one)) for name, one in told.items())
        near, apart = radar.touching(told, self._branches)
        self._waiting -= apart
        for pair in apart & self._known().keys():
            words = "they change no common path any more"
            self._end(self._known()[pair], words, living)
        room = MOST_WAITING - len(self._waiting)
        due = sorted(pair for pair in near - self._waiting if not self._is_known(pair))
        self.left_out += max(0, len(due) - room)
        self._waiting.update(due[:room])

    def _is_known(self, pair: SessionPair) -> bool:
        """Whether these very heads were tried before this supervisor began."""
        row = self._known().get(pair)
        heads = self._branches[pair.one].head, self._branches[pair.other].head
        return row is not None and (row.one_head, row.other_head) == heads

    # --- whether they would merge -----------------------------------------------------------------

    def _try(self, living: Mapping[str, Session]) -> None:
        some = sorted(self._waiting)[:MOST_PAIRS]
        try:
            trials = self.host.try_merges([self._pair(one, living) for one in some])
        except Refused as error:  # it takes a person; tried again when there are new heads
            self.problem, self._waiting = str(error), set()
            return
        self.problem = ""
        for pair, trial in zip(some, trials, strict=True):
            if trial is not None:
                self._judge(pair, trial, living)
                self._waiting.discard(pair)
                self.tried += 1

    def _pair(self, pair: SessionPair, living: Mapping[str, Session]) -> MergePair:
        one, other = (
            BranchAt(brief(living[name], self.project), self._branches[name].head)
            for name in (pair.one, pair.other)
        )
        return MergePair(one, other)

    def _judge(self, pair: SessionPair, trial: TrialMerge, living: Mapping[str, Session]) -> None:
        before = self._known().get(pair)
        match trial.mergeability:
            case Mergeability.UNKNOWN:  # what was expected before holds on
                self.problem = f"{pair.one} with {pair.other}: {trial.detail}"
            case Mergeability.CONFLICTING:
                self._expect(pair, trial, before, living)
            case Mergeability.CLEAN if before is not None:
                self._end(before, "they merge by themselves now", living)

    def _expect(
        self,
        pair: SessionPair,
        trial: TrialMerge,
        before: ExpectedConflict | None,
        living: Mapping[str, Session],
    ) -> None:
        since = before.since if before is not None else self.deps.clock.now()
        names = {name: one.branch or name for name, one in living.items()}
        after = radar.expected(pair, self.project.id, self._branches, names, trial.conflicts, since)
        self._keep(after, radar.told(before, after))

    # --- what is written --------------------------------------------------------------------------

    def _count(self, name: str, changes: BranchChanges) -> None:
        """Keep how much a branch changes, once for each head."""
        diffs = self.deps.store.branch_diffs
        before = diffs.get(name)
        if changes.stat is None:
            if before is not None:
                diffs.forget(name)
            return
        after = BranchDiff.of(name, changes.head, changes.stat)
        draft = radar.changed(before, after)
        if draft is not None:
            with suppress(NotFound), self.deps.store.transaction() as tx:  # it may be gone
                diffs.save(after)
                tx.emit(name, self.project.id, draft)

    def _keep(self, after: ExpectedConflict, drafts: Drafts) -> None:
        with self.deps.store.transaction() as tx:
            self.deps.store.conflicts.save(after)
            for name, draft in drafts.items():
                tx.emit(name, self.project.id, draft)
        self._known()[after.pair] = after

    def _end(self, row: ExpectedConflict, why: str, living: Mapping[str, Session]) -> None:
        drafts = radar.gone(row, why, living.keys())
        with self.deps.store.transaction() as tx:
            self.deps.store.conflicts.remove(row.pair)
            for name, draft in drafts.items():
                tx.emit(name, self.project.id, draft)
        self._known().pop(row.pair, None)
