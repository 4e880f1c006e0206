"""How soon a branch is worth another look: fast where something is about to happen, slow where
people are awaited. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.facts import ForgeSeen, Presence
from ennio.model.failpoints import seconds
from ennio.model.pulls import CheckState, Mergeability, PullState, ReviewState
from ennio.plugins.forge.interface import Watch

SOON = 10.0
RUNNING = 15.0
WORKING = 30.0
WAITING = 60.0
QUIET = 120.0
OVER = 900.0
_QUIET_AFTER = timedelta(minutes=10)
_TOGETHER = 0.5
GAP = seconds(2.0, shortened=0.2)


@dataclass(frozen=True, slots=True)
class PollPace:
    """How times to wait become longer: by the project's own pace, and by a quota that
    must last until its reset.
    """

    pace: float = 1.0
    stretch: float = 1.0
    resets_at: datetime | None = None

    def next_at(self, now: datetime, wait: float) -> datetime:
        """When the next look is due; nobody waits for the quota beyond its reset."""
        plain = now + timedelta(seconds=wait * self.pace)
        stretched = now + timedelta(seconds=wait * self.pace * self.stretch)
        return stretched if self.resets_at is None else min(stretched, max(plain, self.resets_at))


@dataclass(frozen=True, slots=True)
class WatchedBranch:
    """What is known of one watched branch, since when, and when it was last asked for.

    ``nudge_pending``: something happened to it that has not been looked at yet.
    """

    watch: Watch
    seen: ForgeSeen | None = None
    asked_at: datetime | None = None
    changed_at: datetime | None = None
    due_at: datetime | None = None
    nudge_pending: bool = False

    def is_due(self, now: datetime) -> bool:
        """Whether it is time; what was asked in a time to come was asked
        before the clock was put back.
        """
        return (
            self.asked_at is None
            or self.due_at is None
            or now >= self.due_at
            or now < self.asked_at
        )

    def is_nearly_due(self, now: datetime) -> bool:
        """Whether it may as well be asked together with those that are due:
        half of its time is over.
        """
        if self.asked_at is None or self.due_at is None or self.is_due(now):
            return True
        return now >= self.asked_at + (self.due_at - self.asked_at) * _TOGETHER

    def nudged(self, now: datetime) -> WatchedBranch:
        """Due at once, but not twice within two seconds."""
        if self.asked_at is None:
            return self
        return replace(
            self, due_at=max(now, self.asked_at + timedelta(seconds=GAP)), nudge_pending=True
        )

    def observed(self, seen: ForgeSeen, now: datetime, pace: PollPace) -> WatchedBranch:
        """After an answer."""
        same = self.seen == seen
        changed = self.changed_at if same and self.changed_at is not None else now
        wait = interval(self.watch, seen, quiet=now - changed >= _QUIET_AFTER)
        return replace(
            self,
            seen=seen,
            asked_at=now,
            changed_at=changed,
            due_at=pace.next_at(now, wait),
            nudge_pending=False,
        )

    def missed(self, now: datetime, detail: str, source: str) -> WatchedBranch:
        """After an observation that was due and could not be made: unknown, and
        due again at the next tick.
        """
        return replace(
            self,
            seen=ForgeSeen(
                Presence.UNKNOWN, now, source, self.seen.pull if self.seen else None, detail
            ),
        )


def interval(watch: Watch, seen: ForgeSeen, *, quiet: bool) -> float:
    """Seconds until the next look, by what was seen."""
    pull = seen.pull
    if pull is None:
        return RUNNING if watch.idle and not quiet else WORKING
    if pull.state is not PullState.OPEN:
        return OVER if pull.state is PullState.MERGED else WAITING
    if pull.checks is CheckState.PENDING:
        return RUNNING
    if (
        pull.mergeability is Mergeability.UNKNOWN or any(check.unread for check in pull.failing)
    ) and not quiet:
        return SOON
    if quiet:
        return QUIET
    busy = pull.checks is not CheckState.PASSING or pull.review in (
        ReviewState.CHANGES_REQUESTED,
        ReviewState.APPROVED,
    )
    return WORKING if busy else WAITING


def renewed(known: WatchedBranch | None, watch: Watch, now: datetime) -> WatchedBranch:
    """What is known under a watch as it is now; an agent that came to rest, or another
    branch, is worth a look.
    """
    if known is None or known.watch.branch != watch.branch:
        return WatchedBranch(watch)
    rested = watch.idle and not known.watch.idle and (known.seen is None or known.seen.pull is None)
    kept = replace(known, watch=watch)
    return kept.nudged(now) if rested else kept
