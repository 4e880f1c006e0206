"""What becomes of the branches of sessions on this host: where they are, what they change, and
whether two of them would merge.

The commits are looked up in small files. What asks git does so in a repository of its own that is
gone afterwards, with a limit of time for each process and for all of a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from ennio.hosts.brief import BranchAt, Brief, MergePair
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.changes import DiffStat
from ennio.model.conflicts import BranchChanges
from ennio.model.errors import Refused, TimedOut, Unreachable, run_out
from ennio.model.pulls import Mergeability
from ennio.plugins.git import Git, readable
from ennio.plugins.trial_merge import Pair, TrialMerge, try_merges
from ennio.plugins.workspace.branch_heads import BranchHeads, NamedBranch
from ennio.plugins.workspace.trial_repository import trial_repository

WITHIN = 60.0
"""Seconds that a call takes at most; what there was no time for is asked for again."""
ONE = 20.0
"""Seconds for one process."""
AT_ONCE = 25
"""Pairs that one process tries."""
MOST_PATHS = 5000
LONGEST = 1 << 20
"""Bytes of the names of paths that one branch changes; who changes more may change anything."""
_CHANGES = ("diff-tree", "-r", "-z", "--no-renames", "--merge-base")
_COUNTED = ("--numstat", "--no-ext-diff", "--no-textconv")


class HostBranches:
    """See the module. ``place`` tells where the working copy of a session is."""

    def __init__(self, machine: Machine, place: Callable[[Brief], Path]) -> None:
        self._machine = machine
        self._place = place
        self._branches = BranchHeads(machine)

    def heads(self, briefs: Sequence[Brief]) -> Mapping[str, str]:
        """See ``Host.branch_heads``."""
        wanted = [
            NamedBranch(self._place(one), (f"refs/heads/{one.branch or one.session_id}",))
            for one in briefs
        ]
        tips = zip(briefs, self._branches.at(wanted), strict=True)
        return {one.session_id: tip for one, tip in tips if tip is not None}

    def changes(self, branches: Sequence[BranchAt]) -> Mapping[str, BranchChanges]:
        """See ``Host.branch_changes``."""
        found: dict[str, BranchChanges] = {}
        until = time.monotonic() + WITHIN
        briefs = [one.brief for one in branches]
        bases = self._branches.at([NamedBranch(self._place(one), _bases(one)) for one in briefs])
        if not branches:
            return found
        with self._repository(briefs, branches[0].head) as git:
            for one, base in zip(branches, bases, strict=True):
                if not found or time.monotonic() < until:
                    found[one.brief.session_id] = _changed(git, base, one.head)
        return found

    def try_merges(self, pairs: Sequence[MergePair]) -> Sequence[TrialMerge | None]:
        """See ``Host.try_merges``."""
        if not pairs:
            return ()
        briefs = [one.brief for pair in pairs for one in (pair.one, pair.other)]
        heads = [(pair.one.head, pair.other.head) for pair in pairs]
        with self._repository(briefs, heads[0][0]) as git:
            trials = _tried(git, heads, time.monotonic() + WITHIN)
        return tuple(map(trials.get, heads))

    @contextmanager
    def _repository(self, briefs: Sequence[Brief], commit: str) -> Iterator[Git]:
        """One over the objects of all of these. Raises Unreachable where it cannot be made."""
        try:
            with trial_repository(self._machine, self._commons(briefs), commit) as git:
                yield git
        except OSError as error:
            raise run_out(error) or Unreachable(f"no merge can be tried: {error}") from error

    def _commons(self, briefs: Sequence[Brief]) -> list[Path]:
        places = dict.fromkeys(map(self._place, briefs))
        apart = {self._place(one) for one in briefs if one.sandbox is not None}
        found = zip(places, self._branches.commons(list(places)), strict=True)
        return [
            common
            for place, common in found
            if common is not None and not (place in apart and self._borrows(common))
        ]

    def _borrows(self, common: Path) -> bool:
        """Whether a repository has more objects than its own: of one that an agent in a sandbox
        works in they may be of one that it does not see.
        """
        link = common / "objects" / "info" / "alternates"
        return single.exists(self._machine, link, follow=False)


def _bases(brief: Brief) -> tuple[str, ...]:
    """What the base may be called in a working copy, the freshest first."""
    fetched = f"refs/ennio/base/{quote(brief.base, safe='')}"
    remote = (f"refs/remotes/{brief.remote}/{brief.base}",) if brief.remote else ()
    return (fetched, *remote, f"refs/heads/{brief.base}")


def _changed(git: Git, base: str | None, head: str) -> BranchChanges:
    """The paths between the point where a branch left its base and its head, and their lines.

    Where lines cannot be counted (a partial clone has not all files, or it takes too long) the
    paths alone are asked for.
    """
    if base == head:
        return BranchChanges(head, stat=DiffStat(0, 0, 0))
    if base is None:
        return BranchChanges(head, whole=False)
    try:
        rows, cut = _rows(git, _COUNTED, base, head)
        counted = [row.split("\t", 2) for row in rows]
    except (Refused, TimedOut):
        counted, cut = [], True
    if not cut:
        return _within(BranchChanges(head, tuple(path for _, _, path in counted)), _stat(counted))
    try:
        rows, cut = _rows(git, ("--name-only",), base, head)
    except (Refused, TimedOut):  # no common history, or it takes too long
        return BranchChanges(head, whole=False)
    return BranchChanges(head, whole=False) if cut else _within(BranchChanges(head, tuple(rows)))


def _rows(git: Git, how: tuple[str, ...], base: str, head: str) -> tuple[list[str], bool]:
    text, cut = git.beginning(*_CHANGES, *how, base, head, longest=LONGEST, timeout=ONE)
    return [readable(row) for row in text.split("\0") if row], cut


def _within(changes: BranchChanges, stat: DiffStat | None = None) -> BranchChanges:
    """The same with no more paths than are kept."""
    if len(changes.paths) > MOST_PATHS:
        return BranchChanges(changes.head, whole=False, stat=stat)
    return replace(changes, stat=stat)


def _stat(rows: Sequence[Sequence[str]]) -> DiffStat:
    """Of a binary file nobody counts lines."""
    added, removed = (sum(int(row[at]) for row in rows if row[at] != "-") for at in (0, 1))
    return DiffStat(added, removed, len(rows))


def _tried(git: Git, pairs: Sequence[Pair], until: float) -> Mapping[Pair, TrialMerge]:
    """Some at a time; where one of them takes too long each is tried alone."""
    trials: dict[Pair, TrialMerge] = {}
    waiting = [list(pairs[at : at + AT_ONCE]) for at in range(0, len(pairs), AT_ONCE)]
    while waiting and (not trials or time.monotonic() < until):
        some = waiting.pop(0)
        try:
            trials.update(try_merges(git, some, ONE))
        except TimedOut as late:
            if len(some) > 1:
                waiting[:0] = [[pair] for pair in some]
            else:
                trials[some[0]] = TrialMerge(Mergeability.UNKNOWN, detail=str(late))
    return {pair: _shown(trial) for pair, trial in trials.items()}


def _shown(trial: TrialMerge) -> TrialMerge:
    """With names that can be kept and shown."""
    files = tuple(map(readable, trial.conflicts))
    return TrialMerge(trial.mergeability, trial.tree, files, readable(trial.detail))
