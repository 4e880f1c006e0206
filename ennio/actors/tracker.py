"""Tells issues what their sessions have come to: one follower of the event log for each project with a tracker."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, EventsWritten, GetHealth, Ping, Wake
from ennio.actors.poller import SourceHealth
from ennio.actors.timers import Alarm
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Draft, Event, EventType
from ennio.model.failpoints import seconds
from ennio.model.session import Priority, Session
from ennio.plugins.tracker.interface import Milestone, MilestoneKind

log = logging.getLogger(__name__)

FIRST_PAUSE = seconds(5.0, shortened=0.5)
LONGEST_PAUSE = 300.0
KINDS: Mapping[str, MilestoneKind] = MappingProxyType(
    {
        EventType.SESSION_SPAWNED: MilestoneKind.SPAWNED,
        EventType.PR_CREATED: MilestoneKind.PULL_OPENED,
        EventType.PR_MERGED: MilestoneKind.MERGED,
        EventType.PR_CLOSED: MilestoneKind.CLOSED,
        EventType.SESSION_KILLED: MilestoneKind.KILLED,
    }
)


@dataclass(frozen=True, slots=True)
class Word:
    """One milestone on its way to its issue, with the event it stands in."""

    seq: int
    issue_id: str
    milestone: Milestone
    begun: float


class TrackerActor(Actor):
    """Works off the log of one project, event by event; its cursor is in the store.

    What cannot be reached is tried again until it can; what is refused is told in the log and passed over.
    """

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, project_id: str) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._project_id = project_id
        self._busy = False
        self._failures = 0
        self._pause: tuple[datetime, datetime] | None = None
        self._health = SourceHealth()
        self._unlisten: Any = None
        self._alarm = Alarm(self, deps.clock, Wake())

    def on_start(self) -> None:
        """Go on where the last one ended; a log that was never followed is followed from now on."""
        if self._deps.store.meta.get(self._key) is None:
            self._keep(self._deps.store.events.last_seq())
        self._unlisten = self._deps.store.listen(self._heard)
        self._next()

    def on_stop(self) -> None:
        """Listen no more."""
        self._alarm.cancel()
        if self._unlisten is not None:
            self._unlisten()

    def on_receive(self, message: Any) -> Any:
        """Something was written, a pause is over, or an issue has been told."""
        match message:
            case EventsWritten() | Wake():
                self._next()
            case EffectResult(Word() as word, _, error):
                self._busy = False
                self._told(word, error)
                self._next()
            case GetHealth():
                return self._health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    @property
    def _key(self) -> str:
        return f"tracker:{self._project_id}"

    def _keep(self, seq: int) -> None:
        self._deps.store.meta.set(self._key, str(seq))

    def _heard(self, events: Sequence[Event]) -> None:
        """Runs where the events were written."""
        mine = any(event.project_id == self._project_id and event.event_type in KINDS for event in events)
        if mine and not self.actor_stopped.is_set():
            self.actor_ref.tell(EventsWritten())

    def _next(self) -> None:
        if self._busy or self._pauses(self._deps.clock.now()):
            return
        word = self._due()
        if word is not None:
            self._busy = True
            self.perform(word, lambda: self._tell(word))

    def _pauses(self, now: datetime) -> bool:
        """Whether it is too early; a pause that begins in a time to come is one from before the clock was put back."""
        return self._pause is not None and self._pause[0] <= now < self._pause[1]

    def _due(self) -> Word | None:
        """The next milestone of a session that works on an issue; everything before it is passed over for good."""
        cursor = int(self._deps.store.meta.get(self._key) or 0)
        while events := self._deps.store.events.after(cursor, project_id=self._project_id, types=tuple(KINDS)):
            for event in events:
                session = self._deps.store.sessions.get(event.session_id)
                if session is not None and session.issue_id:
                    return Word(event.seq, session.issue_id, milestone_of(event, session), time.monotonic())
                cursor = event.seq
            self._keep(cursor)
        return None

    def _tell(self, word: Word) -> None:
        tracker = self._deps.plugins.tracker(self._deps.project(self._project_id))
        # a tracker of somebody's own may be older than this question
        tell = getattr(tracker, "tell", None)
        if tell is not None:
            tell(word.issue_id, word.milestone)

    def _told(self, word: Word, error: EnnioError | None) -> None:
        now = self._deps.clock.now()
        health = self._health
        health.looks, health.at, health.took = health.looks + 1, now, time.monotonic() - word.begun
        health.ok, health.detail = error is None, str(error or "")
        if isinstance(error, Unreachable):
            self._wait(now)
            return
        self._failures, self._pause = 0, None
        with self._deps.store.transaction() as tx:
            self._keep(word.seq)
            if error is not None:
                tx.emit(word.milestone.session_id, self._project_id, _refused(word, error))
        if error is not None:
            log.warning("issue not told", extra={"session": word.milestone.session_id, "project": self._project_id, "error": str(error)})

    def _wait(self, now: datetime) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(self._failures, 10), LONGEST_PAUSE)
        self._failures += 1
        self._pause = (now, now + timedelta(seconds=pause))
        self._alarm.set(self._pause[1])


def milestone_of(event: Event, session: Session) -> Milestone:
    """What an event means to the session's issue; the pull request is the event's own where it names one."""
    number = event.data.get("number")
    return Milestone(
        kind=KINDS[event.event_type],
        session_id=session.id,
        agent=session.agent_name,
        branch=session.branch,
        pull_url=event.data.get("url") or session.pr_url,
        pull_number=number if isinstance(number, int) else session.pr_number,
    )


def _refused(word: Word, error: EnnioError) -> Draft:
    words = f"issue {word.issue_id} could not be told that its work is at {word.milestone.kind}: {error}"
    return Draft(EventType.SESSION_STEP, words, Priority.ACTION, {"step": "tracker", "issue": word.issue_id, "error": str(error)})
