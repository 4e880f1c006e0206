"""What the forge tells of the branches it watches: asks for what is due, and
answers from what it last knew.

``survey`` is called at every tick and asks only for branches whose time has come. What could not be
asked when it was due is unknown; the rest keeps the time at which it was seen.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.facts import ForgeSeen, Presence
from ennio.model.pulls import PullRequest, PullState
from ennio.plugins.forge.github.graphql import PullQuery
from ennio.plugins.forge.github.interval import GAP, PollPace, WatchedBranch, renewed
from ennio.plugins.forge.github.queries import BranchState, PullQueries
from ennio.plugins.forge.github.settings import GitHubForgeSettings
from ennio.plugins.forge.interface import Watch
from ennio.plugins.forge.local.direct_pushes import commits_made_in
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.github.counters import GRAPHQL

SOURCE = "github"


class Propose(Protocol):
    """Opens a pull request; raises what the client raises."""

    def __call__(
        self, branch: str, base: str, title: str, body: str, *, draft: bool
    ) -> PullRequest:
        """The one that was opened."""


class Watcher:
    """The watched branches of one repository, each with the time of its next look."""

    def __init__(
        self,
        queries: PullQueries,
        client: GitHubClient,
        clock: Clock,
        settings: GitHubForgeSettings,
        propose: Propose,
    ) -> None:
        self._queries = queries
        self._client = client
        self._clock = clock
        self._settings = settings
        self._propose = propose
        self._known: dict[str, WatchedBranch] = {}
        self._looking = threading.Lock()

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """See ``Forge.survey``; at most one request for fifty branches that are due,
        and none while nothing is.
        """
        with self._looking:
            now = self._clock.now()
            self._known = {
                watch.session_id: renewed(self._known.get(watch.session_id), watch, now)
                for watch in watches
            }
            if any(known.is_due(now) for known in self._known.values()):
                self._ask(
                    [known for known in self._known.values() if known.is_nearly_due(now)], now
                )
            return {
                session_id: known.seen
                for session_id, known in self._known.items()
                if known.seen is not None
            }

    def _ask(self, due: Sequence[WatchedBranch], now: datetime) -> None:
        by_session = {known.watch.session_id: known for known in due}
        ended: dict[str, BranchState] = {}
        for one, answer in self._queries.branches([_query_of(known) for known in due]):
            known = by_session[one.session_id]
            if isinstance(answer, EnnioError):
                self._missed(known, now, str(answer))
            elif _is_closed(one, answer):
                ended[one.session_id] = answer
            else:
                self._observed(known, answer, now)
        for one, answer in self._queries.branches(
            [replace(_query_of(by_session[session_id]), number=None) for session_id in ended]
        ):
            known = by_session[one.session_id]
            if isinstance(answer, EnnioError):
                self._missed(known, now, str(answer))
            else:
                self._observed(known, _newer(answer, ended[one.session_id]), now)

    def _missed(self, known: WatchedBranch, now: datetime, detail: str) -> None:
        """Only what was due is unknown; what would merely have been asked
        along keeps what it knew.
        """
        if known.is_due(now):
            self._known[known.watch.session_id] = known.missed(now, detail, SOURCE)

    def _observed(self, known: WatchedBranch, branch: BranchState, now: datetime) -> None:
        budget = self._client.allowance.budget
        pace = PollPace(
            self._settings.pace, budget.stretch(GRAPHQL, now), budget.resets_at(GRAPHQL, now)
        )
        seen = self._seen(known.watch, branch, now)
        observed, current = known.observed(seen, now, pace), self._known[known.watch.session_id]
        # a nudge that came while the question was under way asks for one more look
        self._known[known.watch.session_id] = observed if current is known else observed.nudged(now)

    def _seen(self, watch: Watch, branch: BranchState, now: datetime) -> ForgeSeen:
        pull, missing = branch.pull, self._why_not_opened(watch, branch)
        if missing is None and (pull is None or pull.state is not PullState.OPEN):
            try:
                pull = self._propose(
                    watch.branch, watch.base, watch.title, watch.body, draft=self._settings.draft
                )
            except Unreachable as error:
                # it may be there all the same
                return ForgeSeen(
                    Presence.UNKNOWN, now, SOURCE, pull, f"a pull request was to be opened: {error}"
                )
            except EnnioError as error:
                missing = f"no pull request could be opened: {error}"
        if pull is None:
            return ForgeSeen(
                Presence.GONE, now, SOURCE, detail=missing or "", pushed=_pushed(watch, branch)
            )
        return ForgeSeen(Presence.ALIVE, now, SOURCE, pull, pushed=_pushed(watch, branch))

    def _why_not_opened(self, watch: Watch, branch: BranchState) -> str | None:
        """Why no pull request is opened for a branch that has none, or None."""
        ended, fork = branch.pull, self._settings.head_owner is not None
        reasons = (
            (ended is not None and ended.state is PullState.OPEN, "there is one"),
            (
                ended is not None
                and ended.state is PullState.MERGED
                and ended.number == watch.number,
                "its pull request is merged",
            ),
            (
                not self._settings.auto_open,
                "pull requests are not opened by themselves here (auto_open is off)",
            ),
            (fork, "it is pushed to a fork; its pull request is opened there"),
            (
                branch.head is None,
                f"the branch {watch.branch} is not in {self._client.address} yet",
            ),
            (not branch.ahead, f"{watch.branch} has no commits that {watch.base} lacks"),
            (
                ended is not None and ended.head == branch.head,
                "its last pull request has ended with this very head",
            ),
            (not watch.idle, "the agent is still at work"),
        )
        return next((words for holds, words in reasons if holds), None)

    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """See ``Forge.nudge``."""
        now = self._clock.now()
        for session_id, known in list(self._known.items()):
            if _is_about(known, number, ref):
                self._known[session_id] = known.nudged(now)

    def next_due(self) -> float | None:
        """See ``Paced.next_due``."""
        return GAP if any(known.nudge_pending for known in self._known.values()) else None


def _pushed(watch: Watch, branch: BranchState) -> str | None:
    """The newest commit of the session that is on its base without a merge."""
    pull = branch.pull
    if pull is not None and pull.state is PullState.MERGED:
        return pull.head if pull.merged_by_push else None
    if pull is not None and pull.state is PullState.OPEN and pull.head in branch.unmerged:
        return None  # in a moment GitHub calls it merged, and says by what
    whole = pull is None and branch.ahead == 0 and branch.head is not None
    held = branch.unmerged | ({branch.head} if whole else frozenset())
    if not held or watch.workspace is None:
        return None
    made = commits_made_in(Path(watch.workspace))
    return next((commit for commit in made if commit in held), None)


def _query_of(known: WatchedBranch) -> PullQuery:
    """By the number that is known, the session's or the one found since; else by the branch.

    One that is merged and not the session's own leaves the branch to another.
    """
    watch, pull = known.watch, known.seen.pull if known.seen is not None else None
    found = pull.number if pull is not None and pull.state is not PullState.MERGED else None
    return PullQuery(watch.session_id, watch.branch, watch.base, watch.number or found)


def _is_closed(one: PullQuery, branch: BranchState) -> bool:
    """A pull request closed unmerged: the branch may have a newer one."""
    return (
        one.number is not None and branch.pull is not None and branch.pull.state is PullState.CLOSED
    )


def _newer(branch: BranchState, ended: BranchState) -> BranchState:
    """The branch with its open or newest pull request; a renamed or deleted one still
    has the one that was known.
    """
    pull, known = branch.pull, ended.pull
    older = pull is None or (
        pull.state is not PullState.OPEN and known is not None and known.number > pull.number
    )
    return replace(branch, pull=known) if older else branch


def _is_about(known: WatchedBranch, number: int | None, ref: str | None) -> bool:
    pull = known.seen.pull if known.seen is not None else None
    numbers = {known.watch.number, pull.number if pull is not None else None} - {None}
    if number is None and ref is None:
        return True
    if number is not None and number in numbers:
        return True
    if ref is not None:
        return ref in (
            known.watch.branch,
            pull.head if pull is not None else None,
            pull.branch if pull is not None else None,
        )
    return not numbers  # a pull request nobody knows may be the first of any branch that has none
