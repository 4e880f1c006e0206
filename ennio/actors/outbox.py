"""The words for one agent that it has not taken yet: which is next, how far it got,
when it may be tried again.

A message is a delivery in the lane of its session: intended, done, settled. Which is taken, and
when, is decided by the session's step; that it is taken is written down here before a key is
pressed, and afterwards how that ended. Typing and looking are the host's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.drafts import Drafts
from ennio.actors.messages import NotificationDue
from ennio.actors.reaction_cause import ReactionCause
from ennio.actors.registry import NOTICES
from ennio.actors.session_state import MessageChange, SessionState
from ennio.hosts.delivery import Arrival, Delivery
from ennio.hosts.session_results import Launched
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, EventType
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import Priority
from ennio.policy.lifecycle import PendingMessage
from ennio.policy.lifecycle.effects import LaunchAgent
from ennio.policy.lifecycle.waiting import Wait

DELIVERY_TRIES = 5
UNSURE_LIMIT = timedelta(minutes=5)
"""For how long one message that nobody can confirm is looked for; then it has failed, visibly, and
what waits behind it goes on.
"""
LONGEST_PAUSE = timedelta(seconds=10)
ECHO = timedelta(seconds=3)
WITH_THE_COMMAND = "given with the command line"
"""What a person reads of a message that a command line carried."""


class Outbox:
    """The messages of one session, written through its state. Held by its actor alone."""

    def __init__(self, deps: Dependencies, state: SessionState) -> None:
        self._deps = deps
        self._state = state
        self._pauses: dict[str, datetime] = {}
        self._waits_for_news: set[str] = set()
        self._heard = False
        self._refused: dict[str, int] = {}
        self._unsure: dict[str, datetime] = {}
        self.drafts = Drafts(deps.store, state.session.id, deps.config.person_patience)
        self._typed_at: datetime | None = None
        self._taking = False

    def news(self) -> None:
        """The agent told something: what it was asked in vain before is asked again now."""
        self._heard = True
        for message_id in self._waits_for_news:
            self._pauses.pop(message_id, None)
        self._waits_for_news.clear()

    def asks(self) -> None:
        """It is about to be asked; what it tells from now on may not be in what comes of that."""
        self._heard = False

    def next(self) -> PendingMessage | None:
        """The oldest message that is still to be delivered."""
        return self._state.pending(self._pauses)

    def message(self, message_id: str) -> Message:
        """A message that the store must have."""
        message = self._deps.store.messages.get(message_id)
        if message is None:
            raise AssertionError(f"message {message_id} is not in the store")
        return message

    def typed(self) -> None:
        """Something is being typed into the terminal right now."""
        self._typed_at = self._deps.clock.now()

    def echoes(self, output_at: datetime | None) -> bool:
        """Whether what moved on the screen then was our own typing."""
        return (
            self._typed_at is not None
            and output_at is not None
            and output_at <= self._typed_at + ECHO
        )

    def take(self, message_id: str, aside: str | None = None) -> Message:
        """Write down that it is about to be typed, or given to a launch; and whole what a person
        typed that is put aside for it.

        Raises Conflict when somebody else has it by now.
        """
        self.typed()
        with self._deps.store.transaction():
            if aside is not None:
                self._take_draft(aside)
            return self._deps.store.messages.take(
                self.message(message_id), self._state.memory.launches, self._deps.clock.now()
            )

    def put_back(self, by: timedelta) -> None:
        """The clock was put back, and pauses do not grow by that."""
        self._pauses = {message_id: at - by for message_id, at in self._pauses.items()}
        self._unsure = {message_id: at - by for message_id, at in self._unsure.items()}
        self.drafts.put_back(by)
        self._typed_at = self._typed_at and self._typed_at - by

    def requeue(self, message_id: str) -> None:
        """The launch that was to carry it failed."""
        self._settle(self.message(message_id), state=MessageState.QUEUED)

    def undeliverable(self) -> Sequence[MessageChange]:
        """Messages that will never be delivered, because the session has ended; not written yet."""
        if not self._state.memory.status.terminal:
            return ()
        pending = self._deps.store.messages.pending(self._state.session.id)
        return [
            (one, replace(one, state=MessageState.DROPPED, detail="the session has ended"))
            for one in pending
        ]

    def waiting(self, pending: PendingMessage | None, wait: Wait | None) -> Sequence[MessageChange]:
        """The next message with what it waits for, when that is new; not written yet."""
        if pending is None or wait is None or pending.carried or pending.detail == wait.why:
            return ()
        message = self.message(pending.id)
        return [(message, replace(message, detail=wait.why, by_person=wait.by_person))]

    def of_launch(
        self, effect: LaunchAgent, done: Launched, now: datetime
    ) -> Sequence[MessageChange]:
        """The prompt becomes a message like any other; what the command line carried
        only has to be confirmed.
        """
        if done.words is not None and not effect.resume:
            self._deps.store.messages.add(self._prompt(done.words, done, now))
            return []
        if effect.message is None:
            if done.words and self.next() is None:  # else it goes with what waits
                self._deps.store.messages.add(self._prompt(done.words, done, now, again=True))
            return []
        message = self.message(effect.message)
        if done.carried:
            return [
                (
                    message,
                    replace(
                        message,
                        state=MessageState.SENT_UNSURE,
                        detail=WITH_THE_COMMAND,
                        carried=True,
                    ),
                )
            ]
        return [(message, replace(message, state=MessageState.QUEUED))]

    def _prompt(self, words: str, done: Launched, now: datetime, *, again: bool = False) -> Message:
        session_id = self._state.session.id
        of_launch = f" {done.number}" if again else ""
        prompt = Message(
            str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session_id}{of_launch}")),
            session_id,
            words,
            Origin.PROMPT,
            now,
            fingerprint=f"prompt{of_launch}",
        )
        if not done.carried:
            return prompt
        given = replace(
            prompt, state=MessageState.SENT_UNSURE, started_at=done.begun, launch=done.number
        )
        return replace(given, detail=WITH_THE_COMMAND, carried=True)

    def delivered(
        self, message_id: str, delivery: Delivery | None, error: EnnioError | None, now: datetime
    ) -> None:
        """Write down how an attempt to deliver or to settle it ended; no delivery: the
        attempt failed with the error.
        """
        message = self.message(message_id)
        if delivery is None:
            delivery = Delivery(
                Arrival.NOT_NOW if message.state is MessageState.QUEUED else Arrival.UNSURE,
                str(error),
            )
        if delivery.arrival is not Arrival.NOT_NOW and not message.carried:
            self._typed_at = now
        self.drafts.seen(delivery.draft, now)
        if self._taking and not delivery.aside:
            # it was gone, or the words could not be typed: it was not taken out
            self.drafts.given_back()
        self._taking = False
        match delivery.arrival:
            case Arrival.DELIVERED:
                done = replace(
                    message, state=MessageState.DELIVERED, delivered_at=now, detail=delivery.detail
                )
                self._forget(message_id)
                self._state.write(_told(done), messages=[(message, done)])
            case Arrival.NOT_NOW:
                self._not_now(message, delivery, now)
            case Arrival.UNSURE:
                self._try_again(message, MessageState.SENT_UNSURE, delivery.detail, now)
            case Arrival.MISSING:
                # an attempt that our own end broke off says nothing against the
                # agent: it does not count
                uncounted = message.state is MessageState.SENDING or not delivery.typed
                tries = message.attempts - 1 if uncounted else message.attempts
                # that no key was pressed says nothing of why, which was told before
                why = delivery.detail if delivery.typed else message.detail or delivery.detail
                self._try_again(message, MessageState.QUEUED, why, now, tries)

    def _settle(self, message: Message, **changes: Any) -> None:
        """Keep what came of a try."""
        self._state.write(messages=[(message, replace(message, **changes))])

    def _not_now(self, message: Message, found: Delivery, now: datetime) -> None:
        """It waits, and uses up no attempt; a wait that lasts is looked at less often."""
        self._waits_for_news.add(message.id)
        self._refused[message.id] = self._refused.get(message.id, 0) + 1
        self._pauses[message.id] = now + min(
            timedelta(seconds=1 + self._refused[message.id]), LONGEST_PAUSE
        )
        begun = message.state is MessageState.SENDING
        tries = message.attempts - 1 if begun else message.attempts
        if begun or (message.detail, message.by_person) != (found.detail, found.by_person):
            back = {"state": MessageState.QUEUED, "attempts": tries, "carried": False}
            self._settle(message, **back, detail=found.detail, by_person=found.by_person)
        self._heed_news()

    def _try_again(
        self,
        message: Message,
        state: MessageState,
        detail: str,
        now: datetime,
        tries: int | None = None,
    ) -> None:
        """Look for it again, or type it again; ``tries`` are those that count."""
        attempts = message.attempts if tries is None else tries
        self._pauses[message.id] = now + timedelta(seconds=min(2.0 * max(attempts, 1), 30.0))
        unsure = state is MessageState.SENT_UNSURE
        (self._waits_for_news.add if unsure else self._waits_for_news.discard)(message.id)
        self._heed_news()
        kept = message.detail if message.carried else detail
        if unsure and not self._long_unsure(message, now):
            self._settle(message, state=state, detail=kept)
        elif unsure:
            minutes = UNSURE_LIMIT.total_seconds() / 60
            self._fail(
                message,
                f"nobody could confirm within {minutes:g} minutes that a message arrived; not "
                f"sent again: {detail}",
                detail,
            )
        elif attempts < DELIVERY_TRIES:
            self._settle(message, state=state, detail=kept, attempts=attempts)
        else:
            self._fail(
                message, f"a message could not be delivered in {attempts} tries: {detail}", detail
            )

    def _heed_news(self) -> None:
        """What was told while it was asked ends the pause that follows, too."""
        if self._heard:
            self.news()

    def _long_unsure(self, message: Message, now: datetime) -> bool:
        """Whether it has been looked for long enough; an agent that has yet to
        start has not been asked.
        """
        if self._state.memory.ready_at is None:
            return False
        return now - self._unsure.setdefault(message.id, now) >= UNSURE_LIMIT

    def _fail(self, message: Message, words: str, detail: str) -> None:
        session, now = self._state.session, self._deps.clock.now()
        self._forget(message.id)
        cause = ReactionCause(None, session, f"{message.id}:failed", now)
        said = f"{session.id}: {words}"
        notice = cause.notice(EventType.MESSAGE_FAILED, Priority.URGENT, said)
        failed = replace(message, state=MessageState.FAILED, error=detail)
        with self._deps.store.transaction():
            self._deps.store.notifications.add(notice)
            told = Draft(EventType.MESSAGE_FAILED, words, Priority.URGENT, {"message": message.id})
            self._state.write([told], messages=[(message, failed)])
        self._deps.actors.tell(NOTICES, NotificationDue())

    def _forget(self, message_id: str) -> None:
        for kept in (self._pauses, self._refused, self._unsure):
            kept.pop(message_id, None)

    # --- what a person has begun to type ----------------------------------------------------------

    def _take_draft(self, draft: str) -> None:
        words = (
            "what a person had begun to type was put aside for a message, and is put back after "
            f"it: {draft}"
        )
        self._taking = True
        self.drafts.take(draft)
        self._state.write(
            [Draft(EventType.SESSION_STEP, words, data={"step": "draft", "draft": draft})]
        )

    def given_back(self, draft: str) -> None:
        """What was put aside was seen to stand in its place again."""
        if self.drafts.taken == draft:
            self.drafts.given_back()
            self._state.note_step(
                "draft", "what a person had begun to type stands in the place to type again"
            )


def _told(message: Message) -> list[Draft]:
    words = (
        "the agent took "
        f"{message.origin.value if message.reaction is None else message.reaction} message "
        f"({message.detail})"
    )
    data = {
        "message": message.id,
        "origin": message.origin.value,
        "reaction": message.reaction,
        "attempts": message.attempts,
    }
    told = [Draft(EventType.MESSAGE_DELIVERED, words, data=data)]
    if message.reaction in ("changes-requested", "bugbot-comments"):
        told.append(
            Draft(
                EventType.REVIEW_COMMENTS_SENT, "the review was passed on to the agent", data=data
            )
        )
    return told
