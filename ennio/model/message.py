"""A message to an agent: what it says, where it comes from, and how far it got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ennio.model.shape import INTERNAL

PERSON = "waits for the person at the terminal: words of theirs stand in the place to type"


class MessageState(StrEnum):
    """How far a message got; ``sent_unsure``: it left here, and nobody saw it arrive yet."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT_UNSURE = "sent_unsure"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"

    @property
    def pending(self) -> bool:
        """True while there is still something to do about it."""
        return self in (MessageState.QUEUED, MessageState.SENDING, MessageState.SENT_UNSURE)


class Origin(StrEnum):
    """Who wants the agent to read it."""

    PROMPT = "prompt"
    PERSON = "person"
    REACTION = "reaction"
    RESTORE = "restore"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Message:
    """Words for one agent. ``id`` is a uuid.

    A session takes each ``fingerprint`` (what was seen that made the message) once; without one a
    message is taken every time. ``reaction`` is the rule that wanted it, ``launch`` the number of
    the launch it was typed into, ``error`` why it failed, ``detail`` what a person may want to
    know. ``carried``: a command line carried it, so nobody looks for it on the screen.
    ``by_person``: it waits for words that a person has begun to type.
    """

    id: str
    session_id: str
    text: str
    origin: Origin
    created_at: datetime
    state: MessageState = MessageState.QUEUED
    fingerprint: str | None = None
    reaction: str | None = None
    started_at: datetime | None = None
    delivered_at: datetime | None = None
    attempts: int = 0
    launch: int | None = None
    error: str | None = None
    detail: str = ""
    carried: bool = False
    by_person: bool = field(default=False, metadata=INTERNAL)


def with_reasons(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages of one session, oldest first, each that waits with what it waits for.

    One is delivered after the other: whoever stands behind waits for the first, and
    for what that waits for.
    """
    first = next((message for message in messages if message.state.pending), None)
    if first is None:
        return tuple(messages)
    behind = (
        "is behind an earlier message, which "
        f"{_STANDS.get(first.state) or first.detail or 'is delivered next'}"
    )
    return tuple(
        replace(one, detail=behind)
        if one is not first and one.state is MessageState.QUEUED
        else one
        for one in messages
    )


_STANDS = {
    MessageState.SENDING: "is being delivered",
    MessageState.SENT_UNSURE: "was sent, and has not been seen to arrive yet",
}
