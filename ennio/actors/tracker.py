"""Tells issues what their sessions have come to: one follower of the log for each project with a tracker."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.follower import FollowerActor
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Draft, Event, EventType
from ennio.model.session import Priority, Session
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from ennio.store import Transaction

log = logging.getLogger(__name__)

KINDS: Mapping[str, MilestoneKind] = MappingProxyType(
    {
        EventType.SESSION_SPAWNED: MilestoneKind.SPAWNED,
        EventType.PR_CREATED: MilestoneKind.PULL_OPENED,
        EventType.PR_MERGED: MilestoneKind.MERGED,
        EventType.PR_CLOSED: MilestoneKind.CLOSED,
        EventType.SESSION_KILLED: MilestoneKind.KILLED,
    }
)


class TrackerActor(FollowerActor):
    """Works off the log of one project, event by event.

    What cannot be reached is tried again until it can; what is refused is told in the log and passed over.
    """

    batch = 1

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, project_id: str
    ) -> None:
        super().__init__(deps, name, watcher, types=KINDS, project_id=project_id)

    def wants(self, event: Event) -> bool:
        """Whether its session works on an issue."""
        session = self._deps.store.sessions.get(event.session_id)
        return session is not None and bool(session.issue_id)

    def handle(self, events: Sequence[Event]) -> EnnioError | None:
        """Tell the issue; what is refused is no reason to try again."""
        (event,) = events
        session = self._deps.store.sessions.get(event.session_id)
        # a tracker of somebody's own may be older than this question
        tell = getattr(
            self._deps.plugins.tracker(self._deps.project(event.project_id)), "tell", None
        )
        if tell is None or session is None:
            return None
        try:
            tell(session.issue_id, milestone_of(event, session))
        except Unreachable:
            raise
        except EnnioError as refused:
            log.warning("issue not told", extra={"session": session.id, "error": str(refused)})
            return refused
        return None

    def record(self, tx: Transaction, events: Sequence[Event], result: EnnioError | None) -> None:
        """Say in the log what could not be told."""
        (event,) = events
        session = self._deps.store.sessions.get(event.session_id)
        if result is None or session is None:
            return
        self.health.ok, self.health.detail = False, str(result)
        tx.emit(session.id, event.project_id, _refused(event, session, result))


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


def _refused(event: Event, session: Session, error: EnnioError) -> Draft:
    kind = KINDS[event.event_type]
    words = f"issue {session.issue_id} could not be told that its work is at {kind}: {error}"
    data = {"step": "tracker", "issue": session.issue_id, "error": str(error)}
    return Draft(EventType.SESSION_STEP, words, Priority.ACTION, data)
