"""A pull request as Ennio sees it, put together from the local forge's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.model.local_forge import CheckRow, PullRow, ReviewRow
from ennio.model.pulls import Check, CheckState, Mergeability, PullRequest, PullState, roll_up
from ennio.plugins.forge.local import check_log
from ennio.plugins.forge.local.settings import LocalForgeSettings
from ennio.plugins.forge.local.verdict import decided, opinions, unanswered
from ennio.plugins.trial_merge import TrialMerge

UNTRIED = TrialMerge(Mergeability.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PullParts:
    """What belongs to a pull request beside its row; checks by name."""

    base_head: str | None
    trial: TrialMerge | None
    checks: Mapping[str, CheckRow]
    reviews: Sequence[ReviewRow]


def pull_request(row: PullRow, parts: PullParts, settings: LocalForgeSettings) -> PullRequest:
    """The pull request with its checks, reviews and conflicts; reads the logs of failing checks.

    Without configured checks there is nothing to wait for: that passes. A configured check without
    a row is pending: no head is ever shown before its checks. Of a pull request that has ended only
    the checks that ran are shown; nothing is awaited there.
    """
    url = f"ennio://{row.project_id}/pull/{row.number}"
    trial = parts.trial if parts.trial is not None and row.state is PullState.OPEN else UNTRIED
    names = [
        command.name
        for command in settings.checks
        if row.state is PullState.OPEN or command.name in parts.checks
    ]
    runs = tuple(_check(row, parts.checks.get(name), name) for name in names)
    return PullRequest(
        number=row.number,
        url=url,
        title=row.title,
        branch=row.branch,
        base=row.base,
        head=row.head,
        state=row.state,
        draft=row.draft,
        base_head=parts.base_head,
        mergeability=trial.mergeability,
        conflicts=trial.conflicts,
        checks=roll_up(runs) if settings.checks else CheckState.PASSING,
        check_runs=runs,
        review=decided(
            parts.reviews, required=settings.review_required, head=settings.judged(row.head)
        ),
        comments=unanswered(parts.reviews, row.author, url),
        merge_commit=row.merge_commit if row.state is PullState.MERGED else None,
        head_since=row.head_since,
        opinions=opinions(parts.reviews),
        merged_by_push=row.pushed if row.state is PullState.MERGED else None,
    )


def _check(row: PullRow, check: CheckRow | None, name: str) -> Check:
    if check is None:
        return Check(f"{row.head}/{name}/1", name, CheckState.PENDING)
    url = Path(check.log).as_uri() if check.log is not None else None
    tail = (
        check_log.tail(Path(check.log))
        if check.state is CheckState.FAILING and check.log is not None
        else ""
    )
    # A run that was cut off is about to be run again.
    state = (
        CheckState.PENDING
        if check.state is CheckState.UNKNOWN and row.state is PullState.OPEN
        else check.state
    )
    return Check(f"{row.head}/{name}/{check.run}", name, state, url, tail)
