"""Conflicts that are expected between the branches of sessions, before anybody merges one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from ennio.model.changes import DiffStat
from ennio.model.shape import wire


@dataclass(frozen=True, slots=True)
class BranchChanges:
    """The paths a branch changes since it left its base, at one head.

    ``whole`` False: it changes more, or nobody knows which, so that it may change anything.
    ``stat`` counts its lines and files; None where they could not be counted.
    """

    head: str
    paths: tuple[str, ...] = ()
    whole: bool = True
    stat: DiffStat | None = None


@dataclass(frozen=True, slots=True)
class BranchDiff:
    """How much the branch of a session changes, as it was counted at this head."""

    session_id: str
    head: str
    added: int
    removed: int
    files: int

    @classmethod
    def of(cls, session_id: str, head: str, stat: DiffStat) -> Self:
        """What was counted."""
        return cls(session_id, head, stat.added, stat.removed, stat.files)

    @property
    def stat(self) -> DiffStat:
        """The numbers alone."""
        return DiffStat(self.added, self.removed, self.files)


@dataclass(frozen=True, slots=True, order=True)
class SessionPair:
    """Two sessions, in the order of their ids."""

    one: str
    other: str

    @classmethod
    def of(cls, first: str, second: str) -> SessionPair:
        """The pair of these two, however they are named."""
        return cls(*sorted((first, second)))

    def beside(self, session_id: str) -> str:
        """The other one of the two."""
        return self.other if session_id == self.one else self.one


@dataclass(frozen=True, slots=True)
class ConflictWith:
    """A conflict as one of the two sees it: with whom, on which branch, in which paths."""

    session_id: str = field(metadata=wire("with"))
    branch: str
    paths: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class ExpectedConflict:
    """Two living branches of a project that do not merge by themselves, at these heads.

    ``paths`` are the files in which they conflict, ``since`` is when that was found first.
    """

    one: str
    other: str
    project_id: str
    one_branch: str
    other_branch: str
    one_head: str
    other_head: str
    paths: tuple[str, ...]
    since: datetime

    @property
    def pair(self) -> SessionPair:
        """Whom it is between."""
        return SessionPair(self.one, self.other)

    def seen_by(self, session_id: str) -> ConflictWith:
        """What one of the two expects of the other."""
        if session_id == self.one:
            return ConflictWith(self.other, self.other_branch, self.paths, self.since)
        return ConflictWith(self.one, self.one_branch, self.paths, self.since)


def by_session(conflicts: Iterable[ExpectedConflict]) -> Mapping[str, tuple[ConflictWith, ...]]:
    """What each session expects, in the order given."""
    found: dict[str, tuple[ConflictWith, ...]] = {}
    for one in conflicts:
        for name in (one.one, one.other):
            found[name] = (*found.get(name, ()), one.seen_by(name))
    return found


def in_words(paths: Collection[str], most: int = 3) -> str:
    """Paths as a sentence names them: the first, and how many more."""
    if not paths:
        return "paths that git does not name"
    first = ", ".join(list(paths)[:most])
    return first if len(paths) <= most else f"{first} and {len(paths) - most} more"
