"""Merges pull requests that are approved and green: written down first, re-read right before, checked after.

After a crash an open intention is taken up again: the forge answers whether it happened.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.exchange import forge_name
from ennio.actors.parts import Parts
from ennio.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.events import Draft, EventType
from ennio.messages import Effect, LookNow, MergeDue, NoticeDue, Ping, Wake
from ennio.model import Priority, Session
from ennio.plugins.scm.interface import Merged
from ennio.pulls import CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.store import Merge, MergeState, Notice

RETRY_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class MergeDeed:
    """One merge under way."""

    merge: Merge


class MergeActor(Actor):
    """Works through the merges that are intended, one after the other."""

    def __init__(self, parts: Parts, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._parts = parts
        self._under_way: MergeDeed | None = None
        self._paused: set[tuple[str, str]] = set()

    def on_start(self) -> None:
        """Take up what was intended before."""
        self._next()

    def on_receive(self, message: Any) -> Any:
        """A merge is due, or one has ended."""
        match message:
            case MergeDue():
                self._next()
            case Wake():
                self._paused.clear()
                self._next()
            case Effect(MergeDeed(merge), result, error):
                self._under_way = None
                self._merged(merge, result, error)
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _next(self) -> None:
        if self._under_way is not None:
            return
        merge = next((m for m in self._parts.store.merges.open() if _name(m) not in self._paused), None)
        if merge is None:
            return
        self._under_way = MergeDeed(merge)
        self.perform(self._under_way, lambda: self._merge(merge))

    def _merge(self, merge: Merge) -> Merged:
        session = self._parts.store.sessions.need(merge.session_id)
        scm = self._parts.plugins.scm(self._parts.project(session.project_id))
        if scm is None:
            raise Refused(f"project {session.project_id} has no forge any more")
        pull = scm.look(merge.number)
        if pull.state is not PullState.MERGED:
            forbid(pull, merge.head)
        return scm.merge(merge.number, merge.head, merge.method)

    def _merged(self, merge: Merge, result: Any, error: EnnioError | None) -> None:
        if isinstance(error, Unreachable):
            # one forge that does not answer keeps nobody else's merge waiting
            self._paused.add(_name(merge))
            self.later(RETRY_AFTER, Wake())
            self._next()
            return
        session = self._parts.store.sessions.need(merge.session_id)
        with self._parts.store.transaction() as tx:
            if error is None:
                self._parts.store.merges.save(replace(merge, state=MergeState.DONE, commit=result.commit))
            else:
                self._parts.store.merges.save(replace(merge, state=MergeState.FAILED, error=str(error)))
                words = f"auto-merge of #{merge.number} did not happen: {error}"
                draft = Draft(EventType.REACTION_ESCALATED, words, Priority.URGENT, {"reaction": "approved-and-green", "error": str(error)})
                tx.emit(session.id, session.project_id, draft)
                self._parts.store.notifications.add(self._notice(merge, session, words))
        self._parts.exchange.tell(forge_name(session.project_id), LookNow(merge.session_id))
        self._parts.exchange.tell("notices", NoticeDue())
        self._next()


    def _notice(self, merge: Merge, session: Session, words: str) -> Notice:
        return Notice(
            id=str(uuid.uuid4()),
            event_type=EventType.REACTION_ESCALATED.value,
            priority=Priority.URGENT,
            session_id=session.id,
            project_id=session.project_id,
            message=f"{session.id}: {words}",
            at=self._parts.clock.now(),
            reaction="approved-and-green",
            fingerprint=f"{merge.fingerprint}:failed",
        )


def _name(merge: Merge) -> tuple[str, str]:
    return merge.session_id, merge.head


def forbid(pull: PullRequest, head: str) -> None:
    """Raise Conflict unless the pull request is still exactly what was approved and green.

    Raises Unreachable when the forge only does not know yet, as after every merge into the same base.
    """
    unknown = [name for name, state in (("checks", pull.checks), ("mergeability", pull.mergeability)) if state.value == "unknown"]
    wrong = [
        (pull.state is not PullState.OPEN, f"it is {pull.state}"),
        (pull.head != head, f"its head moved from {head[:10]} to {pull.head[:10]}"),
        (pull.draft, "it is a draft"),
        (pull.checks not in (CheckState.PASSING, CheckState.NONE, CheckState.UNKNOWN), f"its checks are {pull.checks}"),
        (pull.review is not ReviewState.APPROVED, f"its review is {pull.review}"),
        (pull.mergeability is Mergeability.CONFLICTING, f"its mergeability is {pull.mergeability}"),
    ]
    reasons = [words for holds, words in wrong if holds]
    if reasons:
        raise Conflict(f"#{pull.number} is not merged: {', '.join(reasons)}")
    if unknown:
        raise Unreachable(f"#{pull.number} is not merged yet: the forge does not know its {' and '.join(unknown)}")
