"""Brings words to an agent: typed once into an empty place to type, Enter pressed
apart, arrival verified.

A person shares the terminal. Enter is pressed only while the place to type holds exactly what was
typed and nothing else; what stands there of a person's stays, and the words wait.

Before anything is typed it is written down beside the session that this is about to happen. Who
asks for the same message again lost the answer, or its memory: it is not typed again unless it was
looked for and is not there. After a doubt (a crash, an agent that says nothing) the delivery looks
first at what the agent itself says it took, then at the place to type.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ennio.hosts.delivery import Arrival, Delivery, Words
from ennio.hosts.typed_log import TypedLog, Typing
from ennio.hosts.typing_place import NO_PLACE, TypingPlace, wait_for
from ennio.model.answer import Answer
from ennio.model.clock import Clock
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.interface import Agent, AgentContext
from ennio.plugins.runtime.interface import Key, Runtime, View
from ennio.policy.prompt import begun_again

ENTER_SETTLES = 8.0
_EVER = datetime.fromtimestamp(0, UTC) + timedelta(days=1)  # plugins take a little off it
_TYPING = {Arrival.DELIVERED: Typing.TAKEN, Arrival.MISSING: Typing.MISSING}


@dataclass(frozen=True, slots=True)
class MessageDelivery:
    """Delivers to one agent in one terminal; ``typed`` is what is kept of it, ``prompt`` reads the
    first words of the session. See ``Host`` for each method. All of them raise Unreachable,
    NotFound, Refused.
    """

    runtime: Runtime
    agent: Agent
    context: AgentContext
    handle: RuntimeHandle
    typed: TypedLog
    clock: Clock
    prompt: Callable[[], str] = str

    def obstacle(self, words: Words) -> Delivery | None:
        """What stands in the way now."""
        words = self._whole(words)
        place = self._place(words)
        view = place.cleared()
        return place.obstacle(view, words.aside) or place.unrest(view)

    def deliver(self, words: Words) -> Delivery:
        """Type them, or find out what became of them when they may have been typed."""
        words = self._whole(words)
        known = self.typed.of_this_launch(words.message_id)
        if known is not None and known.typing is Typing.TAKEN:
            return Delivery(Arrival.DELIVERED, "it was taken before")
        if known is not None and known.typing is Typing.BEGUN:
            found = self._settled(words, known.at, alive=True, entered=True)
            if found.arrival is not Arrival.MISSING:
                return found
        return self._noted(words, self._type(words))

    def settle(self, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """Find out what became of them."""
        if not self.typed.may_have_typed(words.message_id):
            return Delivery(Arrival.MISSING, "no key was pressed for it", typed=False)
        return self._settled(self._whole(words), words.since, alive=alive, entered=entered)

    def received(self, words: Words) -> Delivery:
        """What the agent says of words on its command line."""
        since = self._not_ahead(words.since)
        told = self._says(words.text, since)
        if told is Answer.NO and self.typed.goes_with_the_first(words.message_id):
            told = self._says(self._whole(words).text, since)
        if told is Answer.NO:
            return Delivery(Arrival.UNSURE, "the agent has not said yet that it took it")
        return Delivery(Arrival.DELIVERED, "the agent says so" if told is Answer.YES else "")

    def put_back(self, draft: str) -> bool:
        """Type what a person had begun to type."""
        return self._place().put_back(draft)

    def _whole(self, words: Words) -> Words:
        """The words below the first ones of the session, where the agent of this launch remembers
        nothing of them and they are the first that it is told.
        """
        if not self.typed.begins_anew:
            return words
        first = self.prompt()
        sent = (*words.sent, *(begun_again(first, text) for text in words.sent))
        if not self.typed.goes_with_the_first(words.message_id):
            return replace(words, sent=sent)
        return replace(words, text=begun_again(first, words.text), sent=sent)

    # --- typing -----------------------------------------------------------------------------------

    def _type(self, words: Words) -> Delivery:
        place, begun = self._place(words), time.monotonic()

        def since() -> datetime:
            """When this began by the clock as it is now: it may be put back or forth meanwhile."""
            return self.clock.now() - timedelta(seconds=time.monotonic() - begun)

        view = place.view()
        hindered = place.obstacle(view, words.aside)
        if hindered is not None or view is None:
            return hindered or Delivery(Arrival.NOT_NOW, NO_PLACE)
        if self.agent.has_protocol:
            self.typed.note(words.message_id, Typing.BEGUN, since())
            self.agent.tell(self.context, view.text, words.text)
            return self._told(words.text, since)
        empty = place.emptied(view, words.aside)
        if isinstance(empty, Delivery):
            return empty
        # what is written goes ahead of the keys, in the same way there and back
        with self.typed.ahead():
            self.typed.note(words.message_id, Typing.BEGUN, since())
            place.put(self.agent.typed(words.text))
        pasted = place.pasted(empty.box, self.agent.typed(words.text))
        done = (
            pasted
            if isinstance(pasted, Delivery)
            else self._enter(place, words.text, since, fresh=True, before=pasted)
        )
        return replace(done, aside=empty.aside)

    def _enter(
        self,
        place: TypingPlace,
        text: str,
        since: Callable[[], datetime],
        *,
        fresh: bool,
        before: View | None = None,
    ) -> Delivery:
        """Press Enter and wait for the agent's word; press once more when exactly
        this still stands there. ``before``: what the terminal shows now, where that was just seen.
        """
        typed = self.agent.typed(text)
        for _ in range(2):
            pressed, before = before or place.view(), None
            self.runtime.press(self.handle, Key.ENTER)
            told = self._entered(place, text, since, pressed)
            if told is not None:
                return told
            if not place.holds(typed, fresh=fresh):
                break
        return Delivery(
            Arrival.UNSURE, "it was typed and entered; the agent has not said that it took it"
        )

    def _entered(
        self, place: TypingPlace, text: str, since: Callable[[], datetime], pressed: View | None
    ) -> Delivery | None:
        """What became of Enter: the agent's word, or what its screen did where it gives none. None
        where it has not said yet that it took it.
        """
        typed, last = self.agent.typed(text), Answer.NO

        def found() -> Answer:
            nonlocal last
            last = told = self._says(text, since())
            if told is Answer.UNKNOWN and (place.view() == pressed or place.keeps(typed)):
                return Answer.NO
            return told

        if not wait_for(lambda: found() is not Answer.NO, ENTER_SETTLES / 2):
            unknown = last is Answer.UNKNOWN
            return Delivery(Arrival.UNSURE, "nothing moved after Enter") if unknown else None
        if last is Answer.YES:
            return Delivery(Arrival.DELIVERED, "the agent says so")
        words = "the screen went on after Enter; the agent does not tell more"
        return Delivery(Arrival.DELIVERED, words)

    def _told(self, text: str, since: Callable[[], datetime]) -> Delivery:
        if wait_for(lambda: self._received(text, since()), ENTER_SETTLES):
            return Delivery(Arrival.DELIVERED, "the agent says so")
        return Delivery(
            Arrival.UNSURE, "it was handed over; the agent has not said that it took it"
        )

    def _says(self, text: str, since: datetime) -> Answer:
        """What its agent tells of a text since a moment by our clock: it tells by that of its
        machine, which may be behind.
        """
        slack = timedelta(seconds=self.context.machine.slack)
        return self.agent.received(self.context, text, since - slack)

    def _received(self, text: str, since: datetime) -> bool:
        return self._says(text, since) is Answer.YES

    # --- after a doubt ----------------------------------------------------------------------------

    def _settled(self, words: Words, since: datetime, *, alive: bool, entered: bool) -> Delivery:
        since = self._not_ahead(since)
        return self._noted(words, self._found(words.text, since, alive=alive, entered=entered))

    def _found(self, text: str, since: datetime, *, alive: bool, entered: bool) -> Delivery:
        """Find out whether a text in doubt arrived; typed but not entered, it is entered now.

        ``entered``: Enter was pressed for it in this life, so that it is not typed again while
        it stands in the terminal.
        """
        told = self._says(text, since)
        if told is Answer.YES:
            return Delivery(Arrival.DELIVERED, "the agent says so")
        if not alive:
            return Delivery(Arrival.MISSING, "the agent ended before it took it")
        if self.agent.has_protocol:
            arrival = Arrival.MISSING if told is Answer.NO else Arrival.UNSURE
            return Delivery(arrival, "the agent does not say that it took it")
        place, typed = self._place(), self.agent.typed(text)
        box = place.box()
        if box is None:
            return Delivery(
                Arrival.UNSURE,
                f"it was typed, and the agent has not said that it took it; {NO_PLACE}",
            )
        if box.holds(typed):
            return self._enter(place, text, lambda: since, fresh=False)
        if box.is_mixed(typed):
            return _mixed(box, typed)
        shown = (entered or told is Answer.UNKNOWN) and shows(
            self.runtime.output(self.handle, 2000), typed
        )
        if told is Answer.NO and shown:
            return Delivery(
                Arrival.UNSURE, "it was typed and entered; the agent has not said that it took it"
            )
        if told is Answer.NO:
            return Delivery(
                Arrival.MISSING,
                "the agent has not taken it, and it does not stand in its place to type",
            )
        if shown:
            return Delivery(
                Arrival.DELIVERED,
                "it stands in the terminal and no more in the place to type; the agent does not "
                "tell more",
            )
        return Delivery(Arrival.MISSING, "it does not stand in the terminal")

    def _noted(self, words: Words, delivery: Delivery) -> Delivery:
        """Write down what is known now; where that cannot be, it is found out again."""
        typing = _TYPING.get(delivery.arrival)
        if typing is not None:
            with contextlib.suppress(OSError):
                self.typed.note(words.message_id, typing, self.clock.now())
        return delivery

    def _place(self, words: Words | None = None) -> TypingPlace:
        if words is None:
            return TypingPlace(self.runtime, self.agent, self.handle)
        known = self.typed.of_this_launch(words.message_id)
        begun = words.text if known is not None and known.typing is not Typing.TAKEN else None
        return TypingPlace(self.runtime, self.agent, self.handle, words.sent, begun)

    def _not_ahead(self, since: datetime) -> datetime:
        """A moment that lies ahead was told by a clock that has been put back:
        then it is as good as none.
        """
        return since if since <= self.clock.now() else _EVER


def _mixed(box: InputBox, typed: str) -> Delivery:
    """It stands in the place to type among other words, or behind keys alone."""
    if box.holds_part(typed):
        return Delivery(Arrival.MISSING, "it stands in the place to type behind a key")
    return Delivery(
        Arrival.UNSURE,
        "it stands in the place to type among a person's words, and is not entered with them",
    )


def shows(screen: str | None, text: str) -> bool:
    """Whether the end of a text stands on a screen, however the terminal broke its lines."""
    if not screen:
        return False
    tail = "".join(text.split())[-60:]
    return bool(tail) and tail in "".join(screen.split())
