"""Putting a merge onto its base: whether it may, and by compare-and-swap so that no work is lost.

The commit is written into the store before the base moves. After a crash in between, the base is
looked at: when it holds that commit, the merge has happened.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ennio.config.model import Project
from ennio.model.branch import protector
from ennio.model.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.model.local_forge import PullRow, PullStore, ReviewRow
from ennio.model.plural import number_of
from ennio.model.pulls import PullState, ReviewState
from ennio.plugins.forge.interface import Merged
from ennio.plugins.forge.local.merge_commit import MergeSpec, build
from ennio.plugins.forge.local.repository import HEADS, GitRepository
from ennio.plugins.forge.local.settings import LocalForgeSettings
from ennio.plugins.forge.local.verdict import decided

ATTEMPTS = 20
PATIENCE = 30.0
WAY_OUT = (
    "keep a bare repository between you and the agents and let `repo` name it, as `ennio init` "
    "does where there is no remote"
)


def refusal_of(
    row: PullRow,
    expected_head: str,
    reviews: Sequence[ReviewRow],
    settings: LocalForgeSettings,
    *,
    force: bool,
) -> EnnioError | None:
    """The error that keeps an unmerged pull request from being merged with this head, or None.

    A person's ``force`` stands above the wish for a review, and above nothing else.
    """
    if row.state is PullState.CLOSED:
        return Refused(f"#{row.number} is closed; open a new pull request for {row.branch}")
    if row.head != expected_head:
        return _moved(row, expected_head, row.head)
    if row.draft:
        return Refused(f"#{row.number} is a draft; mark it as ready first")
    decision = decided(reviews, required=True, head=settings.judged(row.head))
    if decision is ReviewState.CHANGES_REQUESTED and not force:
        return Refused(f"#{row.number} is not merged: a reviewer asks for changes")
    if settings.review_required and decision is not ReviewState.APPROVED and not force:
        return Refused(
            f"#{row.number} needs an approving review of {row.head[:7]} first (review_required is "
            "on)"
        )
    return None


def retry_merge(once: Callable[[], Merged | str], base: str) -> Merged:
    """Try until the merge is in, with a pause between two tries in which everybody else goes on.

    ``once`` is one whole try on what is there at that moment: the merge, or git's words on
    why the base could not be moved. Raises Unreachable when the patience is over, and
    whatever ``once`` raises.
    """
    deadline = time.monotonic() + PATIENCE
    for attempt in range(1, ATTEMPTS + 1):
        found = once()
        if isinstance(found, Merged):
            return found
        if time.monotonic() > deadline:
            break
        time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - spreads those who try at once
    tries = number_of(attempt, "attempt")
    raise Unreachable(f"{base} could not be moved in {tries}; git says: {found}")


def is_deletable(
    repository: GitRepository,
    store: PullStore,
    project: Project,
    settings: LocalForgeSettings,
    row: PullRow,
) -> bool:
    """Whether a merged branch goes: not a protected one, one that is checked out, or one that
    others are to be merged into.
    """
    if (
        not settings.delete_branch
        or protector(row.branch, project.default_branch, project.protected_branches) is not None
    ):
        return False
    wanted = any(other.base == row.branch for other in store.pulls(project.id, PullState.OPEN))
    return not wanted and repository.checked_out(row.branch) is None


def merge_onto_base(
    repository: GitRepository, store: PullStore, spec: MergeSpec, *, gone: bool
) -> tuple[str, str | None]:
    """Build the merge, write it down and swap it in: the commit, and git's words
    when the base did not move.

    ``gone``: the branch goes in the same transaction.

    Raises Conflict (conflicts) and Refused (the base is checked out somewhere).
    """
    _check_base(repository, spec.row)
    commit = build(repository, spec)
    store.save_pull(replace(spec.row, merge_commit=commit))
    return commit, _swap(repository, spec, commit, gone=gone)


def _check_base(repository: GitRepository, row: PullRow) -> None:
    where = repository.checked_out(row.base)
    if where is not None:
        raise Refused(
            f"{row.base} is checked out in {where}; moving it would make the files there look "
            f"changed: {WAY_OUT}"
        )


def _swap(repository: GitRepository, spec: MergeSpec, commit: str, *, gone: bool) -> str | None:
    """Move the base if it and the branch are what they were: one transaction, all or nothing."""
    row = spec.row
    branch = f"{'delete' if gone else 'verify'} {HEADS}{row.branch} {row.head}"
    return repository.move(
        [f"update {HEADS}{row.base} {commit} {spec.base_head}", branch],
        f"ennio: merge #{row.number}",
    )


def _moved(row: PullRow, expected: str, head: str | None) -> Conflict:
    found = f"is now {head[:10]}" if head else "is gone"
    return Conflict(
        f"#{row.number} was not merged: the head of {row.branch} {found}, expected was "
        f"{expected[:10]}; look at it again"
    )
