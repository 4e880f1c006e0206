"""Which branches of a project have to be tried with each other, and what became of that: decided on
values alone.

Two branches are tried when they change a common path, once for each pair of heads. What could not
be tried is unknown: what was expected before holds on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Self

from ennio.model.conflicts import (
    BranchChanges,
    BranchDiff,
    ConflictWith,
    ExpectedConflict,
    SessionPair,
    in_words,
)
from ennio.model.events import Draft, EventType
from ennio.model.plural import number_of

NAMED = 20
"""Paths that an event names."""
MOST_NAMED = 100
"""Paths that are kept of a conflict."""
_COUNTS = ("added", "removed", "files")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a branch changes, for comparing: its paths, and the folders that they lie in."""

    head: str
    paths: frozenset[str]
    folders: frozenset[str]
    whole: bool

    @classmethod
    def of(cls, changes: BranchChanges) -> Self:
        """The one of a branch."""
        parents = (PurePosixPath(path).parents for path in changes.paths)
        folders = frozenset(str(one) for each in parents for one in each)
        return cls(changes.head, frozenset(changes.paths), folders, changes.whole)

    @property
    def empty(self) -> bool:
        """Nothing is changed on it."""
        return self.whole and not self.paths

    def touches(self, other: Footprint) -> bool:
        """Whether both change one path, or one changes a file where the other has a folder."""
        if self.empty or other.empty or self.head == other.head:
            return False
        if not (self.whole and other.whole):
            return True
        return not (
            self.paths.isdisjoint(other.paths)
            and self.paths.isdisjoint(other.folders)
            and self.folders.isdisjoint(other.paths)
        )

    def common(self, other: Footprint) -> tuple[str, ...]:
        """The paths that both change."""
        return tuple(sorted(self.paths & other.paths))


def touching(
    changed: Iterable[str], branches: Mapping[str, Footprint]
) -> tuple[set[SessionPair], set[SessionPair]]:
    """The pairs of branches that changed with all others: those that touch, and those that do not
    any more.
    """
    near: set[SessionPair] = set()
    apart: set[SessionPair] = set()
    for name in changed:
        for other, footprint in branches.items():
            if other != name:
                found = near if branches[name].touches(footprint) else apart
                found.add(SessionPair.of(name, other))
    return near, apart


def expected(
    pair: SessionPair,
    project_id: str,
    branches: Mapping[str, Footprint],
    names: Mapping[str, str],
    conflicts: tuple[str, ...],
    since: datetime,
) -> ExpectedConflict:
    """The conflict that a trial found; git names no path where only names are in each other's way,
    and then those are named that both change. ``names`` are their branches.
    """
    one, other = branches[pair.one], branches[pair.other]
    return ExpectedConflict(
        pair.one,
        pair.other,
        project_id,
        names[pair.one],
        names[pair.other],
        one.head,
        other.head,
        (conflicts or one.common(other))[:MOST_NAMED],
        since,
    )


def changed(before: BranchDiff | None, after: BranchDiff) -> Draft | None:
    """The event of a branch that changes as much at a new head; none where nobody counted
    anything on it, and where it is as it was told.
    """
    told = before is not None and before.head == after.head
    if told or (before is None and not any((after.added, after.removed, after.files))):
        return None
    many = number_of(after.files, "file")
    words = f"its branch is at {after.head[:7]}: +{after.added} -{after.removed} in {many}"
    data = {"head": after.head, **{name: getattr(after, name) for name in _COUNTS}}
    return Draft(EventType.BRANCH_CHANGED, words, data=data)


def told(before: ExpectedConflict | None, after: ExpectedConflict) -> Mapping[str, Draft]:
    """The event for each of the two sessions; none where it is expected in no path more than
    before.
    """
    if before is not None and set(after.paths) <= set(before.paths):
        return {}
    return {name: _expected(after.seen_by(name)) for name in (after.one, after.other)}


def gone(before: ExpectedConflict, why: str, living: Collection[str]) -> Mapping[str, Draft]:
    """The event for each of the two sessions that still lives."""
    return {
        name: _gone(before.seen_by(name), why)
        for name in (before.one, before.other)
        if name in living
    }


def _expected(conflict: ConflictWith) -> Draft:
    with_whom, paths = conflict.session_id, conflict.paths
    words = f"a conflict with {with_whom} is expected in {in_words(paths)}"
    data = {
        "with": with_whom,
        "branch": conflict.branch,
        "paths": list(paths[:NAMED]),
        "more": max(0, len(paths) - NAMED),
    }
    return Draft(EventType.CONFLICT_EXPECTED, words, data=data)


def _gone(conflict: ConflictWith, why: str) -> Draft:
    words = f"no conflict with {conflict.session_id} is expected any more: {why}"
    data = {"with": conflict.session_id, "branch": conflict.branch}
    return Draft(EventType.CONFLICT_GONE, words, data=data)
