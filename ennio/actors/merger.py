"""Merges pull requests that are approved and green: written down first, re-read right before, checked after.

After a crash an open intention is taken up again: the forge answers whether it happened. What is refused is held
back and tried again, with the reason in the session's history; a person hears of what only a person mends.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, LookNow, MergeDue, NotificationDue, Ping, Wake
from ennio.actors.registry import forge_name
from ennio.actors.timers import Alarm
from ennio.config.model import ReactionAction, StaleApprovals
from ennio.model.errors import EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.model.pulls import CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Priority, Session, SessionStatus
from ennio.plugins.scm.interface import Merged, Revocable
from ennio.policy import merging
from ennio.policy.merging import Held, Remedy, Superseded
from ennio.store import Merge, MergeState, Notice, ReactionRecord, Transaction

RULE = "approved-and-green"
THOUGHT = seconds(30.0, shortened=1.0)
"""After how many seconds a merge whose session is not approved and green just now is thought of again, without asking anybody."""


@dataclass(frozen=True, slots=True)
class MergeEffect:
    """One merge under way."""

    merge: Merge


class MergeActor(Actor):
    """Works through the merges that are intended, one after the other."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._under_way: MergeEffect | None = None
        self._pauses: dict[tuple[str, str], tuple[datetime, datetime]] = {}
        self._alarm = Alarm(self, deps.clock, Wake())

    def on_start(self) -> None:
        """Take up what was intended before."""
        self._next()

    def on_stop(self) -> None:
        """No more tries."""
        self._alarm.cancel()

    def on_receive(self, message: Any) -> Any:
        """A merge is due, or one has ended."""
        match message:
            case MergeDue() | Wake():
                self._next()
            case EffectResult(MergeEffect(merge), result, error):
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
        now = self._deps.clock.now()
        waits = []
        for merge in tuple(self._wanted()):
            # what was held back in an earlier life is tried at once, and a pause that begins in a time to come is
            # one from before the clock was put back
            since, until = self._pauses.get(_name(merge), (now, now))
            if since <= now < until and not self._overtaken(merge):
                waits.append(until)
            elif self._is_ready(merge):
                self._under_way = MergeEffect(merge)
                self.perform(self._under_way, lambda merge=merge: self._merge(merge))  # type: ignore[misc]
                return
            else:
                waits.append(now + timedelta(seconds=THOUGHT))
        self._alarm.set(min(waits, default=None))

    def _wanted(self) -> Iterator[Merge]:
        """The merges that are still to be done; those of sessions that a person ended are dropped, once the forge knows of it."""
        for merge in self._deps.store.merges.open():
            if self._killed(merge) and not merge.handed:
                self._drop(merge, "the session was killed")
            else:
                yield merge

    def _is_ready(self, merge: Merge) -> bool:
        """Whether it is worth asking the forge: what was last seen does not speak against it, nor does the configuration."""
        session = self._deps.store.sessions.need(merge.session_id)
        project = self._deps.config.project(session.project_id)
        if session.status.terminal or project is None:
            return True
        rule = project.reactions.get(RULE)
        if rule is None or not rule.enabled or rule.action is not ReactionAction.AUTO_MERGE:
            return False
        forge = self._deps.store.facts.get(session.id).forge
        pull = forge.pull if forge is not None else None
        if pull is None or pull.state is not PullState.OPEN or pull.head != merge.head:
            return True
        return session.status is SessionStatus.APPROVED and not pull.merging

    def _killed(self, merge: Merge) -> bool:
        return self._deps.store.sessions.need(merge.session_id).status is SessionStatus.KILLED

    def _overtaken(self, merge: Merge) -> bool:
        """Whether what the forge took over is to be taken back at once: its session was killed, or its head is another one by now.

        A forge that cannot be asked then is waited for like any other: what it took over is no longer why the merge is held.
        """
        if merge.held != merging.HANDED_OVER:
            return False
        forge = self._deps.store.facts.get(merge.session_id).forge
        pull = forge.pull if forge is not None else None
        return self._killed(merge) or (pull is not None and pull.state is PullState.OPEN and pull.head != merge.head)

    def _merge(self, merge: Merge) -> Merged:
        session = self._deps.store.sessions.need(merge.session_id)
        scm = self._deps.plugins.scm(self._deps.project(session.project_id))
        if scm is None:
            raise Refused(f"project {session.project_id} has no forge any more")
        pull = scm.look(merge.number)
        if pull.state is PullState.OPEN and session.status is SessionStatus.KILLED:
            if isinstance(scm, Revocable):
                scm.withdraw(merge.number)
            raise Superseded("the session was killed")
        if pull.state is not PullState.MERGED:
            project = self._deps.project(session.project_id)
            count_stale = project.stale_approvals is StaleApprovals.COUNT
            if merge.handed and pull.merging and pull.head != merge.head and not count_stale and isinstance(scm, Revocable):
                scm.withdraw(merge.number)  # else the forge merges what was pushed since, which nobody has approved
            forbid(pull, merge.head, session.base or project.default_branch, count_stale=count_stale)
            if merge.handed and not pull.merging:
                words = f"the forge had taken #{merge.number} over and gave it back (out of its queue, or auto-merge was switched off)"
                raise Held(f"{words}: merge it, or put it in again", Remedy.PERSON, "given back")
        return scm.merge(merge.number, merge.head, merge.method)

    def _merged(self, merge: Merge, result: Any, error: EnnioError | None) -> None:
        if isinstance(error, Superseded):
            self._drop(merge, str(error))
        elif error is not None:
            self._hold(merge, merging.held(error))
        elif not result.commit:
            self._hold(replace(merge, handed=True), Held(result.message, Remedy.WAIT, merging.HANDED_OVER))
        else:
            self._deps.store.merges.save(replace(merge, state=MergeState.DONE, commit=result.commit, error=None))
        session = self._deps.store.sessions.need(merge.session_id)
        self._deps.actors.tell(forge_name(session.project_id), LookNow(merge.session_id))
        self._next()

    def _drop(self, merge: Merge, why: str) -> None:
        """What was to be merged is gone; what is there instead is judged by itself."""
        with self._deps.store.transaction():
            self._deps.store.merges.save(replace(merge, state=MergeState.DROPPED, error=why))
            self._record(merge, "dropped", why)

    def _hold(self, merge: Merge, reason: Held) -> None:
        """Write down why it waits and until when; say so where it is said for the first time."""
        now, before = self._deps.clock.now(), merge.held
        attempts = merge.attempts + 1 if before == reason.kind else 1
        since = merge.held_since or now
        self._pauses[_name(merge)] = now, merging.next_try(reason, attempts, now)
        waiting = replace(merge, error=str(reason), attempts=attempts, held=reason.kind, held_since=since)
        with self._deps.store.transaction() as tx:
            self._deps.store.merges.save(waiting)
            if before != reason.kind:
                self._record(merge, "waits", f"{reason}; {merging.outlook(reason)}")
            if merging.concerns_a_person(reason, since, now):
                self._call(tx, merge, reason)
        self._deps.actors.tell("notices", NotificationDue())

    def _record(self, merge: Merge, outcome: str, detail: str) -> None:
        words = f"the merge of #{merge.number}: {detail}"
        now, action = self._deps.clock.now(), ReactionAction.AUTO_MERGE.value
        self._deps.store.reactions.record(
            ReactionRecord(str(uuid.uuid4()), merge.session_id, RULE, now, action, 1, merge.fingerprint, outcome, words)
        )

    def _call(self, tx: Transaction, merge: Merge, reason: Held) -> None:
        """Tell a person, once for each kind of reason."""
        session = self._deps.store.sessions.need(merge.session_id)
        words = f"auto-merge of #{merge.number} did not happen: {reason}"
        if self._deps.store.notifications.add(self._notice(merge, session, words, reason.kind)):
            draft = Draft(EventType.REACTION_ESCALATED, words, Priority.URGENT, {"reaction": RULE, "error": str(reason)})
            tx.emit(session.id, session.project_id, draft)

    def _notice(self, merge: Merge, session: Session, words: str, kind: str) -> Notice:
        return Notice(
            id=str(uuid.uuid4()),
            event_type=EventType.REACTION_ESCALATED.value,
            priority=Priority.URGENT,
            session_id=session.id,
            project_id=session.project_id,
            message=f"{session.id}: {words}",
            at=self._deps.clock.now(),
            reaction=RULE,
            fingerprint=f"{merge.fingerprint}:held:{kind}",
        )


def _name(merge: Merge) -> tuple[str, str]:
    return merge.session_id, merge.head


def forbid(pull: PullRequest, head: str, base: str, *, count_stale: bool = False) -> None:
    """Raise unless the pull request is still exactly what was approved and green.

    Superseded: it is closed, or has another head. Held: it is not approved, green and without conflicts now, or the
    forge does not know yet, as after every merge into the same base.
    """
    if pull.state is not PullState.OPEN:
        raise Superseded(f"#{pull.number} is not merged: it is {pull.state}")
    if pull.head != head:
        raise Superseded(f"#{pull.number} is not merged: its head moved from {head[:10]} to {pull.head[:10]}")
    if pull.base != base:
        words = f"#{pull.number} is not merged: its base is {pull.base}, not {base}, which the session started from"
        raise Held(f"{words}: change it back on the forge, or merge it yourself", Remedy.PERSON, "another base")
    wrong = [
        (pull.draft, "it is a draft"),
        (pull.checks not in (CheckState.PASSING, CheckState.NONE, CheckState.UNKNOWN), f"its checks are {pull.checks}"),
        (pull.review is not ReviewState.APPROVED, f"its review is {pull.review}"),
        (not count_stale and not pull.approved_head, f"its approval is of another head than {pull.head[:10]}"),
        (pull.mergeability is Mergeability.CONFLICTING, f"its mergeability is {pull.mergeability}"),
    ]
    reasons = [words for holds, words in wrong if holds]
    if reasons:
        raise Held(f"#{pull.number} is not merged: {', '.join(reasons)}", Remedy.WAIT, "not ready")
    unknown = [name for name, state in (("checks", pull.checks), ("mergeability", pull.mergeability)) if state.value == "unknown"]
    if unknown:
        words = f"#{pull.number} is not merged yet: the forge does not know its {' and '.join(unknown)}"
        raise Held(words, Remedy.AGAIN, "not known yet")
