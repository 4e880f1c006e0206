"""What has become of an open pull request since it was last looked at.
Pure but for one question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ennio.model.local_forge import PullRow
from ennio.model.pulls import PullState


@dataclass(frozen=True, slots=True)
class BranchRefs:
    """The branches of a repository at one moment.

    ``merged`` names, for each base, the branches whose head it holds. ``taken`` are the branches of
    open pull requests. ``holds(base, commit)`` asks git and is needed only when something changed.
    """

    heads: Mapping[str, str]
    merged: Mapping[str, frozenset[str]]
    taken: frozenset[str]
    holds: Callable[[str, str], bool]

    def is_ahead(self, branch: str, base: str) -> bool:
        """Both branches exist and the first has commits the second lacks."""
        return (
            branch in self.heads
            and base in self.heads
            and branch != base
            and branch not in self.merged[base]
        )


def advance(row: PullRow, refs: BranchRefs, now: datetime) -> PullRow:
    """The row as the branches now say: a new head, merged, or closed because its work is gone.

    Merged means that the base holds the head seen last, or the commit that was about to hold it
    when a merge was interrupted. A branch put back onto its base was not merged.
    """
    if row.state is not PullState.OPEN or row.base not in refs.heads:
        return row
    if row.merge_commit is not None and refs.holds(row.base, row.merge_commit):
        return merged(row, row.merge_commit, now, by_push=False)
    head = refs.heads.get(row.branch)
    if head is None:
        return _without_branch(row, refs, now)
    if row.branch in refs.merged[row.base]:
        held = _held(row, head, refs)
        row = replace(row, head=head)
        return merged(row, head, now, by_push=True) if held else closed(row, now)
    return row if head == row.head else replace(row, head=head, head_since=now, updated_at=now)


def _held(row: PullRow, head: str, refs: BranchRefs) -> bool:
    return head == row.head or refs.holds(row.base, row.head)


def _without_branch(row: PullRow, refs: BranchRefs, now: datetime) -> PullRow:
    if refs.holds(row.base, row.head):
        return merged(row, row.head, now, by_push=True)
    renamed = [
        name
        for name, head in refs.heads.items()
        if head == row.head and name not in refs.taken and name != row.base
    ]
    if len(renamed) == 1:
        return replace(row, branch=renamed[0], updated_at=now)
    return closed(row, now)


def merged(row: PullRow, commit: str, now: datetime, *, by_push: bool) -> PullRow:
    """The row of a pull request whose work is on its base with this commit: by a merge of
    the forge, or by a push.
    """
    ended = replace(row, state=PullState.MERGED, merged_at=now, closed_at=now, updated_at=now)
    return replace(ended, merge_commit=commit, by_push=by_push)


def closed(row: PullRow, now: datetime) -> PullRow:
    """The row of a pull request that ended without a merge."""
    return replace(row, state=PullState.CLOSED, merge_commit=None, closed_at=now, updated_at=now)
