"""Putting a merge onto its base: whether it may, and by compare-and-swap so that no work is lost.

The commit is written into the book before the base moves. After a crash in between, the base is
looked at: when it holds that commit, the merge has happened.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

from ennio.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.forge import ForgeBook, PullRow, ReviewRow
from ennio.plugins.scm.local.merging import Order, build
from ennio.plugins.scm.local.repository import HEADS, Repository
from ennio.plugins.scm.local.verdict import decided
from ennio.pulls import PullState, ReviewState

ATTEMPTS = 20
PATIENCE = 30.0


def why_not(row: PullRow, expected_head: str, reviews: Sequence[ReviewRow], *, review_required: bool) -> EnnioError | None:
    """The error that keeps an unmerged pull request from being merged with this head, or None."""
    if row.state is PullState.CLOSED:
        return Refused(f"#{row.number} is closed; open a new pull request for {row.branch}")
    if row.head != expected_head:
        return _moved(row, expected_head, row.head)
    if row.draft:
        return Refused(f"#{row.number} is a draft; mark it as ready first")
    if review_required and decided(reviews, required=True) is not ReviewState.APPROVED:
        return Refused(f"#{row.number} needs an approving review first (review_required is on)")
    return None


def land(repository: Repository, book: ForgeBook, order: Order, *, delete_branch: bool) -> str:
    """Merge and return the commit the base now points to. Starts anew when the base has moved meanwhile.

    Raises Conflict (conflicts, or the head has moved), Refused (the base is checked out somewhere),
    Unreachable (the base could not be moved).
    """
    words, deadline = "", time.monotonic() + PATIENCE
    for attempt in range(ATTEMPTS):
        _check_base(repository, order.row)
        commit = build(repository, order)
        book.save_pull(replace(order.row, merge_commit=commit))
        reason = _swap(repository, order, commit, delete_branch=delete_branch)
        if reason is None:
            return commit
        words = reason
        if time.monotonic() > deadline:
            break
        order = _renewed(repository, order)
        time.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311 - spreads those who try at once
    raise Unreachable(f"{order.row.base} could not be moved in {attempt + 1} attempts; git says: {words}")


def _check_base(repository: Repository, row: PullRow) -> None:
    where = repository.checked_out(row.base)
    if where is not None:
        way_out = f"run `git -C {where} switch --detach` there, or keep a bare repository between you and the agents (`ennio init`)"
        raise Refused(f"{row.base} is checked out in {where}; moving it would make the files there look changed: {way_out}")


def _swap(repository: Repository, order: Order, commit: str, *, delete_branch: bool) -> str | None:
    """Move the base if it and the branch are what they were: one transaction, all or nothing."""
    row = order.row
    gone = delete_branch and repository.checked_out(row.branch) is None
    branch = f"{'delete' if gone else 'verify'} {HEADS}{row.branch} {row.head}"
    return repository.move([f"update {HEADS}{row.base} {commit} {order.base_head}", branch], f"ennio: merge #{row.number}")


def _renewed(repository: Repository, order: Order) -> Order:
    heads = repository.heads()
    row = order.row
    if heads.get(row.branch) != row.head:
        raise _moved(row, row.head, heads.get(row.branch))
    if row.base not in heads:
        raise Conflict(f"#{row.number} cannot be merged: its base {row.base} is gone")
    return replace(order, base_head=heads[row.base])


def _moved(row: PullRow, expected: str, head: str | None) -> Conflict:
    found = f"is now {head[:10]}" if head else "is gone"
    return Conflict(f"#{row.number} was not merged: the head of {row.branch} {found}, expected was {expected[:10]}; look at it again")
