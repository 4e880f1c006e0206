"""Merges pull requests that are approved and green: written down first, re-read
right before, checked after.

After a crash an open intention is taken up again: the forge answers whether it happened. What is
refused is held back and tried again, with the reason in the session's history; a person hears of
what only a person mends.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.messages import EffectResult, LookNow, MergeDue, NotificationDue, Ping, Wake
from ennio.actors.reaction_cause import ReactionCause
from ennio.actors.registry import NOTICES, forge_name
from ennio.config.model import ReactionAction, StaleApprovals
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import seconds
from ennio.model.pulls import CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Priority, Session, SessionStatus
from ennio.plugins.forge.interface import Merged, Revocable
from ennio.policy import delivering, merging
from ennio.policy.merging import Held, Remedy, Superseded
from ennio.store import Merge, Notice, ReactionRecord, Transaction

RULE = "approved-and-green"
KILLED = "the session was killed"
RETRY = delivering.Retry(first=merging.FIRST_PAUSE)
THOUGHT = seconds(30.0, shortened=1.0)
"""After how many seconds a merge whose session is not approved and green just now is thought of
again, without asking anybody.
"""


class MergeActor(Actor):
    """Works through the merges that are intended: in each project one after the other, and none
    waits for another project.
    """

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._queue = DurableQueue(self, deps, DeliveryKind.MERGE, self)

    def on_start(self) -> None:
        """Take up what was intended before; what was held back in an
        earlier life is tried at once.
        """
        self._queue.start()

    def on_stop(self) -> None:
        """No more tries."""
        self._queue.stop()

    def on_receive(self, message: Any) -> Any:
        """A merge is due, or one has ended."""
        match message:
            case MergeDue() | Wake():
                self._queue.next()
            case EffectResult(DeliveryRecord() as delivery, result, error):
                self._queue.ended(delivery, result, error)
                self._deps.actors.tell(NOTICES, NotificationDue())
                merge = self._deps.store.merges.of(delivery)
                self._deps.actors.tell(forge_name(delivery.lane), LookNow(merge.session_id))
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    # --- what the queue asks ----------------------------------------------------------------------

    def due(self, delivery: DeliveryRecord, now: datetime) -> datetime:
        """See ``DeliveryWork``; nobody is asked for what was seen to be in vain,
        or while it is held back.
        """
        merge = self._deps.store.merges.of(delivery)
        if self._killed(merge) and not merge.handed:
            return now
        at = delivering.due(delivery, RETRY, now)
        if at > now and not self._overtaken(merge):
            return at
        return now if self._is_ready(merge) else now + timedelta(seconds=THOUGHT)

    def deliver(self, delivery: DeliveryRecord) -> Merged:
        """Merge it, unless that has happened: the forge is looked at first, and
        asked for this head only.
        """
        merge = self._deps.store.merges.of(delivery)
        if self._killed(merge) and not merge.handed:
            raise Superseded(KILLED)
        return self._merge(merge)

    def outcome(
        self,
        delivery: DeliveryRecord,
        result: Merged | None,
        error: EnnioError | None,
        now: datetime,
    ) -> DeliveryRecord:
        """See ``DeliveryWork``: what was to be merged and is gone is dropped; what
        is refused is tried again.
        """
        if isinstance(error, Superseded):
            return delivering.settled(delivery, DeliveryState.DROPPED, now, str(error))
        reason = _reason(result, error)
        if reason is not None:
            merge = _held(self._deps.store.merges.of(delivery), reason, now)
            return delivering.postponed(
                delivery, merging.next_try(reason, merge.attempts, now), str(reason)
            )
        return delivering.settled(
            delivery, DeliveryState.DONE, now, result=None if result is None else result.commit
        )

    def record_outcome(
        self,
        tx: Transaction,
        outcome: DeliveryRecord,
        result: Merged | None,
        error: EnnioError | None,
    ) -> None:
        """Write down why it waits, and say so where it is said for the first time; a
        person hears of what lasts.
        """
        merge, now = self._deps.store.merges.of(outcome), self._deps.clock.now()
        if outcome.state is DeliveryState.DROPPED:
            self._record(merge, "dropped", str(error))
        reason = _reason(result, error)
        if reason is None or not outcome.state.open:
            return
        waiting = replace(_held(merge, reason, now), handed=merge.handed or error is None)
        self._deps.store.merges.save(waiting)
        if merge.held != reason.kind:
            self._record(merge, "waits", f"{reason}; {merging.outlook(reason)}")
        if merging.concerns_a_person(reason, waiting.held_since or now, now):
            self._call(tx, merge, reason)

    # --- one merge --------------------------------------------------------------------------------

    def _is_ready(self, merge: Merge) -> bool:
        """Whether it is worth asking the forge: what was last seen does not speak against it,
        nor does the configuration.
        """
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
        """Whether what the forge took over is to be taken back at once: its session was killed, or
        its head is another one by now.

        A forge that cannot be asked then is waited for like any other: what it took over is no
        longer why the merge is held.
        """
        if merge.held != merging.HANDED_OVER:
            return False
        forge = self._deps.store.facts.get(merge.session_id).forge
        pull = forge.pull if forge is not None else None
        return self._killed(merge) or (
            pull is not None and pull.state is PullState.OPEN and pull.head != merge.head
        )

    def _merge(self, merge: Merge) -> Merged:
        session = self._deps.store.sessions.need(merge.session_id)
        forge = self._deps.plugins.forge(self._deps.project(session.project_id))
        if forge is None:
            raise Refused(f"project {session.project_id} has no forge any more")
        pull = forge.look(merge.number)
        if pull.state is PullState.OPEN and session.status is SessionStatus.KILLED:
            if isinstance(forge, Revocable):
                forge.withdraw(merge.number)
            raise Superseded(KILLED)
        if pull.state is not PullState.MERGED:
            project = self._deps.project(session.project_id)
            count_stale = project.stale_approvals is StaleApprovals.COUNT
            if (
                merge.handed
                and pull.merging
                and pull.head != merge.head
                and not count_stale
                and isinstance(forge, Revocable)
            ):
                forge.withdraw(
                    merge.number
                )  # else the forge merges what was pushed since, which nobody has approved
            forbid(
                pull, merge.head, session.base or project.default_branch, count_stale=count_stale
            )
            if merge.handed and not pull.merging:
                words = (
                    f"the forge had taken #{merge.number} over and gave it back (out of its "
                    "queue, or auto-merge was switched off)"
                )
                raise Held(f"{words}: merge it, or put it in again", Remedy.PERSON, "given back")
        return forge.merge(merge.number, merge.head, merge.method)

    def _record(self, merge: Merge, outcome: str, detail: str) -> None:
        words = f"the merge of #{merge.number}: {detail}"
        now, action = self._deps.clock.now(), ReactionAction.AUTO_MERGE.value
        self._deps.store.reactions.record(
            ReactionRecord(
                str(uuid.uuid4()),
                merge.session_id,
                RULE,
                now,
                action,
                1,
                merge.fingerprint,
                outcome,
                words,
            )
        )

    def _call(self, tx: Transaction, merge: Merge, reason: Held) -> None:
        """Tell a person, once for each kind of reason."""
        session = self._deps.store.sessions.need(merge.session_id)
        words = f"auto-merge of #{merge.number} did not happen: {reason}"
        if self._deps.store.notifications.add(self._notice(merge, session, words, reason.kind)):
            draft = Draft(
                EventType.REACTION_ESCALATED,
                words,
                Priority.URGENT,
                {"reaction": RULE, "error": str(reason)},
            )
            tx.emit(session.id, session.project_id, draft)

    def _notice(self, merge: Merge, session: Session, words: str, kind: str) -> Notice:
        mark = f"{merge.fingerprint}:held:{kind}"
        cause = ReactionCause(RULE, session, mark, self._deps.clock.now())
        told = f"{session.id}: {words}"
        return cause.notice(EventType.REACTION_ESCALATED, Priority.URGENT, told)


def _reason(result: Merged | None, error: EnnioError | None) -> Held | None:
    """Why it is not merged yet; None when it is."""
    if error is not None:
        return merging.held(error)
    return (
        None
        if result is None or result.commit
        else Held(result.message, Remedy.WAIT, merging.HANDED_OVER)
    )


def _held(merge: Merge, reason: Held, now: datetime) -> Merge:
    """The merge that is held back, by this reason once more or for the first time."""
    attempts = merge.attempts + 1 if merge.held == reason.kind else 1
    return replace(merge, attempts=attempts, held=reason.kind, held_since=merge.held_since or now)


def forbid(pull: PullRequest, head: str, base: str, *, count_stale: bool = False) -> None:
    """Raise unless the pull request is still exactly what was approved and green.

    Superseded: it is closed, or has another head. Held: it is not approved, green and without
    conflicts now, or the forge does not know yet, as after every merge into the same base.
    """
    if pull.state is not PullState.OPEN:
        raise Superseded(f"#{pull.number} is not merged: it is {pull.state}")
    if pull.head != head:
        raise Superseded(
            f"#{pull.number} is not merged: its head moved from {head[:10]} to {pull.head[:10]}"
        )
    if pull.base != base:
        words = (
            f"#{pull.number} is not merged: its base is {pull.base}, not {base}, which the "
            "session started from"
        )
        raise Held(
            f"{words}: change it back on the forge, or merge it yourself",
            Remedy.PERSON,
            "another base",
        )
    wrong = [
        (pull.draft, "it is a draft"),
        (
            pull.checks not in (CheckState.PASSING, CheckState.NONE, CheckState.UNKNOWN),
            f"its checks are {pull.checks}",
        ),
        (pull.review is not ReviewState.APPROVED, f"its review is {pull.review}"),
        (
            not count_stale and not pull.approved_head,
            f"its approval is of another head than {pull.head[:10]}",
        ),
        (pull.mergeability is Mergeability.CONFLICTING, f"its mergeability is {pull.mergeability}"),
    ]
    reasons = [words for holds, words in wrong if holds]
    if reasons:
        raise Held(f"#{pull.number} is not merged: {', '.join(reasons)}", Remedy.WAIT, "not ready")
    unknown = [
        name
        for name, state in (("checks", pull.checks), ("mergeability", pull.mergeability))
        if state.value == "unknown"
    ]
    if unknown:
        words = (
            f"#{pull.number} is not merged yet: the forge does not know its {' and '.join(unknown)}"
        )
        raise Held(words, Remedy.AGAIN, "not known yet")
