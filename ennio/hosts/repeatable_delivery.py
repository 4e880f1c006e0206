"""Deliveries that may be asked for again: by what was written down of a message
it is never typed twice.

Who asks again lost the answer, or its memory. What is not known any more is found out by looking.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ennio.hosts.interface import Arrival, Delivery, Words
from ennio.hosts.message_delivery import Aside, MessageDelivery
from ennio.hosts.resolved import ResolvedBrief
from ennio.hosts.typed_log import Typing
from ennio.model.answer import Answer
from ennio.model.clock import Clock

_EVER = datetime.fromtimestamp(0, UTC) + timedelta(days=1)  # plugins take a little off it
_TYPING = {Arrival.DELIVERED: Typing.TAKEN, Arrival.MISSING: Typing.MISSING}


@dataclass(frozen=True, slots=True)
class RepeatableDelivery:
    """Words for one session. See ``Host`` for each method."""

    at: ResolvedBrief
    clock: Clock

    def obstacle(self, words: Words) -> Delivery | None:
        """What stands in the way now."""
        return self._delivery(words).obstacle(words.aside)

    def deliver(self, words: Words) -> Delivery:
        """Type them, or find out what became of them when they may have been typed."""
        found = self._found(words)
        return found if found is not None else self._typed(words)

    def settle(self, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """Find out what became of them."""
        if not self.at.files.typed.may_have_typed(words.message_id):
            return Delivery(Arrival.MISSING, "no key was pressed for it", typed=False)
        return self._settled(words, words.since, alive=alive, entered=entered)

    def received(self, words: Words) -> Delivery:
        """What the agent says of words on its command line."""
        told = self.at.agent.received(self.at.context, words.text, self._not_ahead(words.since))
        if told is Answer.NO:
            return Delivery(Arrival.UNSURE, "the agent has not said yet that it took it")
        return Delivery(Arrival.DELIVERED, "the agent says so" if told is Answer.YES else "")

    def put_back(self, draft: str) -> bool:
        """Type what a person had begun to type."""
        return self._delivery(None).put_back(draft)

    def _found(self, words: Words) -> Delivery | None:
        """What became of words whose delivery was asked for before; None when they may be typed."""
        known = self.at.files.typed.of_this_launch(words.message_id)
        if known is None or known.typing is Typing.MISSING:
            return None
        if known.typing is Typing.TAKEN:
            return Delivery(Arrival.DELIVERED, "it was taken before")
        found = self._settled(words, known.at, alive=True, entered=True)
        return None if found.arrival is Arrival.MISSING else found

    def _typed(self, words: Words) -> Delivery:
        begun = time.monotonic()
        put_aside: list[str] = []

        def since() -> datetime:
            """When this began by the clock as it is now: it may be put back or forth meanwhile."""
            return self.clock.now() - timedelta(seconds=time.monotonic() - begun)

        def mark() -> None:
            self.at.files.typed.note(words.message_id, Typing.BEGUN, since())

        delivery = self._delivery(words).deliver(
            words.text, since, mark, Aside(words.aside, put_aside.append)
        )
        self._note(words, delivery)
        return replace(delivery, aside=bool(put_aside))

    def _settled(self, words: Words, since: datetime, *, alive: bool, entered: bool) -> Delivery:
        delivery = self._delivery(words).settle(
            words.text, self._not_ahead(since), alive=alive, entered=entered
        )
        self._note(words, delivery)
        return delivery

    def _note(self, words: Words, delivery: Delivery) -> None:
        """Write down what is known now; where that cannot be, it is found out again."""
        typing = _TYPING.get(delivery.arrival)
        if typing is not None:
            with contextlib.suppress(OSError):
                self.at.files.typed.note(words.message_id, typing, self.clock.now())

    def _delivery(self, words: Words | None) -> MessageDelivery:
        at = self.at
        return MessageDelivery(
            at.runtime, at.agent, at.context, at.handle, words.sent if words is not None else ()
        )

    def _not_ahead(self, since: datetime) -> datetime:
        """A moment that lies ahead was told by a clock that has been put back:
        then it is as good as none.
        """
        return since if since <= self.clock.now() else _EVER
