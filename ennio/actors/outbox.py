"""The words for one agent that it has not taken yet: which is next, how far it got, when it may be tried again.

A message is marked as being sent before a key is pressed. How its delivery ended is written down here;
typing and looking are the courier's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ennio.actors import deeds
from ennio.actors.courier import Arrival, Delivery
from ennio.actors.parts import Parts
from ennio.actors.record import Record
from ennio.errors import EnnioError
from ennio.events import Draft, EventType
from ennio.lifecycle import Mail
from ennio.lifecycle.actions import LaunchAgent
from ennio.message import Message, MessageState, Origin
from ennio.model import Priority

DELIVERY_TRIES = 5
ECHO = timedelta(seconds=3)


class Outbox:
    """The messages of one session, written through its record. Held by its actor alone."""

    def __init__(self, parts: Parts, record: Record) -> None:
        self._parts = parts
        self._record = record
        self._pauses: dict[str, datetime] = {}
        self._typed_at: datetime | None = None

    def next(self) -> Mail | None:
        """The oldest message that is still to be delivered."""
        return self._record.mail(self._pauses)

    def message(self, message_id: str) -> Message:
        """A message that the store must have."""
        message = self._parts.store.messages.get(message_id)
        if message is None:
            raise AssertionError(f"message {message_id} is not in the store")
        return message

    def typed(self) -> None:
        """Something is being typed into the terminal right now."""
        self._typed_at = self._parts.clock.now()

    def echoes(self, output_at: datetime | None) -> bool:
        """Whether what moved on the screen then was our own typing."""
        return self._typed_at is not None and output_at is not None and output_at <= self._typed_at + ECHO

    def mark(self, message_id: str) -> None:
        """Write down that it is about to be typed, or given to a launch."""
        now = self._parts.clock.now()
        self.typed()
        message, launch = self.message(message_id), self._record.memory.launches
        marked = replace(message, state=MessageState.SENDING, started_at=now, attempts=message.attempts + 1, launch=launch)
        self._record.write(messages=[marked])

    def put_back(self, by: timedelta) -> None:
        """The clock was put back, and pauses do not grow by that."""
        self._pauses = {message_id: at - by for message_id, at in self._pauses.items()}
        self._typed_at = self._typed_at and self._typed_at - by

    def requeue(self, message_id: str) -> None:
        """The launch that was to carry it failed."""
        self._record.write(messages=[replace(self.message(message_id), state=MessageState.QUEUED)])

    def undeliverable(self) -> Sequence[Message]:
        """Messages that will never be delivered, because the session has ended; not written yet."""
        if not self._record.memory.status.terminal:
            return ()
        pending = self._parts.store.messages.pending(self._record.session.id)
        return [replace(message, state=MessageState.DROPPED, detail="the session has ended") for message in pending]

    def of_launch(self, action: LaunchAgent, done: deeds.Launched, now: datetime) -> list[Message]:
        """The prompt becomes a message like any other; what the command line carried only has to be confirmed."""
        if done.words is not None and not action.resume:
            self._parts.store.messages.add(self._prompt(done.words, done, now))
            return []
        if action.message is None:
            return []
        message = self.message(action.message)
        if done.carried:
            return [replace(message, state=MessageState.SENT_UNSURE, detail=deeds.CARRIED)]
        return [replace(message, state=MessageState.QUEUED)]

    def _prompt(self, words: str, done: deeds.Launched, now: datetime) -> Message:
        session_id = self._record.session.id
        prompt = Message(str(uuid.uuid5(uuid.NAMESPACE_OID, session_id)), session_id, words, Origin.PROMPT, now, fingerprint="prompt")
        if not done.carried:
            return prompt
        return replace(prompt, state=MessageState.SENT_UNSURE, started_at=done.begun, launch=done.number, detail=deeds.CARRIED)

    def delivered(self, message_id: str, delivery: Delivery | None, error: EnnioError | None, now: datetime) -> None:
        """Write down how an attempt to deliver or to settle it ended; no delivery: the attempt failed with the error."""
        message = self.message(message_id)
        if delivery is None:
            delivery = Delivery(Arrival.NOT_NOW if message.state is MessageState.QUEUED else Arrival.UNSURE, str(error))
        if delivery.arrival is not Arrival.NOT_NOW and message.detail != deeds.CARRIED:
            self._typed_at = now
        match delivery.arrival:
            case Arrival.DELIVERED:
                done = replace(message, state=MessageState.DELIVERED, delivered_at=now, detail=delivery.detail)
                self._pauses.pop(message_id, None)
                self._record.write(_told(done), messages=[done])
            case Arrival.NOT_NOW:
                self._pauses[message_id] = now + timedelta(seconds=2)
                if message.detail != delivery.detail:
                    self._record.write(messages=[replace(message, detail=delivery.detail)])
            case Arrival.UNSURE:
                self._try_again(message, MessageState.SENT_UNSURE, delivery.detail, now)
            case Arrival.MISSING:
                # an attempt that our own end broke off says nothing against the agent: it does not count
                tries = message.attempts - 1 if message.state is MessageState.SENDING else message.attempts
                self._try_again(replace(message, attempts=tries), MessageState.QUEUED, delivery.detail, now)

    def _try_again(self, message: Message, state: MessageState, detail: str, now: datetime) -> None:
        self._pauses[message.id] = now + timedelta(seconds=min(2.0 * max(message.attempts, 1), 30.0))
        kept = message.detail if message.detail == deeds.CARRIED else detail
        if message.attempts < DELIVERY_TRIES or state is MessageState.SENT_UNSURE:
            self._record.write(messages=[replace(message, state=state, detail=kept)])
            return
        failed = replace(message, state=MessageState.FAILED, error=detail)
        words = f"a message could not be delivered in {message.attempts} tries: {detail}"
        self._record.write([Draft(EventType.MESSAGE_FAILED, words, Priority.URGENT, {"message": message.id})], messages=[failed])


def _told(message: Message) -> list[Draft]:
    words = f"the agent took {message.origin.value if message.reaction is None else message.reaction} message ({message.detail})"
    data = {"message": message.id, "origin": message.origin.value, "reaction": message.reaction, "attempts": message.attempts}
    told = [Draft(EventType.MESSAGE_DELIVERED, words, data=data)]
    if message.reaction in ("changes-requested", "bugbot-comments"):
        told.append(Draft(EventType.REVIEW_COMMENTS_SENT, "the review was passed on to the agent", data=data))
    return told
