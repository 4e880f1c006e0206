"""Brings words to an agent: typed once into an empty place to type, Enter pressed
apart, arrival verified.

A person shares the terminal. Enter is pressed only while the place to type holds exactly what was
typed and nothing else; what stands there of a person's stays, and the words wait.

Before anything is typed it is written down that this is about to happen. After a doubt (a crash, an
agent that says nothing) the delivery looks before it types again: first at what the agent itself
says it took, then at the place to type.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ennio.hosts.interface import Arrival, Delivery
from ennio.model.answer import Answer
from ennio.model.failpoints import seconds
from ennio.model.message import PERSON
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.box import InputBox, is_added
from ennio.plugins.agent.interface import Agent, AgentContext
from ennio.plugins.runtime.interface import Key, Runtime, View

PASTE_SETTLES = seconds(3.0, shortened=0.3)
ENTER_SETTLES = 8.0
PAUSE = 0.1
AT_REST = 3  # looks at a screen that moved once and then did not
ROUNDS = 3  # of keys that empty the place to type; who is not done then types along


@dataclass(frozen=True, slots=True)
class Aside:
    """What a person has begun to type and may be put aside; ``keep`` writes it down
    before a key is pressed.
    """

    text: str | None = None
    keep: Callable[[str], None] = lambda _: None


SCROLLED = "a person reads back in the terminal (its copy mode)"
NO_PLACE = "the screen shows no place to type"


@dataclass(frozen=True, slots=True)
class MessageDelivery:
    """Delivers to one agent in one terminal. ``sent`` are the words it was sent
    before, the newest first.
    """

    runtime: Runtime
    agent: Agent
    context: AgentContext
    handle: RuntimeHandle
    sent: Sequence[str] = ()

    def deliver(
        self,
        text: str,
        since: Callable[[], datetime],
        mark: Callable[[], None],
        aside: Aside = Aside(),
    ) -> Delivery:
        """Give it the text. ``since`` is when this began, ``mark`` writes down that it begins.
        Raises Unreachable, NotFound, Refused.
        """
        view = self._view()
        if view is None or not self._takes(view):
            return _not_now(view)
        if self.agent.has_protocol:
            mark()
            self.agent.tell(self.context, view.text, text)
            return self._told(text, since)
        box = self._emptied(view, aside)
        if isinstance(box, Delivery):
            return box
        mark()
        typed = self.agent.typed(text)
        self.runtime.paste(self.handle, typed)
        return self._enter(text, since, box) if self._pasted(box, typed) else self._unpasted(typed)

    def obstacle(self, aside: str | None = None) -> Delivery | None:
        """What stands in the way of words now, without a key being pressed; ``aside`` is what a
        person typed and may be taken out.
        """
        view = self._view()
        if view is None or not self._takes(view):
            return _not_now(view)
        return (
            None if self.agent.has_protocol else self._hindered(self.agent.input_box(view), aside)
        )

    def settle(self, text: str, since: datetime, *, alive: bool, entered: bool = False) -> Delivery:
        """Find out whether a text in doubt arrived; typed but not entered, it is entered now.

        ``entered``: Enter was pressed for it in this life, so that it is not typed again while
        it stands in the terminal.
        """
        told = self.agent.received(self.context, text, since)
        if told is Answer.YES:
            return Delivery(Arrival.DELIVERED, "the agent says so")
        if not alive:
            return Delivery(Arrival.MISSING, "the agent ended before it took it")
        if self.agent.has_protocol:
            arrival = Arrival.MISSING if told is Answer.NO else Arrival.UNSURE
            return Delivery(arrival, "the agent does not say that it took it")
        view, typed = self._view(), self.agent.typed(text)
        box = self.agent.input_box(view) if view is not None and not view.scrolled else None
        if box is None:
            return Delivery(
                Arrival.UNSURE,
                f"it was typed, and the agent has not said that it took it; {NO_PLACE}",
            )
        if box.holds(typed):
            return self._enter(text, lambda: since, None)
        if box.is_mixed(typed):
            return Delivery(
                Arrival.UNSURE,
                "it stands in the place to type among a person's words, and is not entered with "
                "them",
            )
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

    def put_back(self, draft: str) -> bool:
        """Type what a person had begun to type into the empty place to type, without Enter;
        whether it stands there now.
        """
        box = self._region()
        if box is not None and not box.is_empty and box.holds(draft):
            return True  # it was never taken out, or stands there again
        if box is None or not box.is_empty:
            return False
        self.runtime.paste(self.handle, draft)
        return self._wait_for(
            lambda: (again := self._region()) is not None and again.holds(draft), PASTE_SETTLES
        )

    # --- the place to type ------------------------------------------------------------------------

    def _takes(self, view: View) -> bool:
        if view.scrolled:
            return False
        return (
            self.agent.is_ready_for_text(view.text)
            if self.agent.has_protocol
            else self.agent.input_box(view) is not None
        )

    def _emptied(self, view: View, aside: Aside) -> InputBox | Delivery:
        """The empty place to type: what stands there of our own words goes, a person's stays
        unless it may be put aside.
        """
        box = self.agent.input_box(view)
        hindered = self._hindered(box, aside.text)
        if hindered is not None or box is None:
            return hindered or Delivery(Arrival.NOT_NOW, NO_PLACE)
        if box.is_empty:
            return box
        if aside.text is not None and not self._is_ours(box):
            aside.keep(aside.text)
        left = self._clear(box)
        return (
            left
            if left is not None and left.is_empty
            else _by_person(left.text if left is not None else None)
        )

    def _hindered(self, box: InputBox | None, aside: str | None) -> Delivery | None:
        if box is None:
            return Delivery(Arrival.NOT_NOW, NO_PLACE)
        if box.is_empty:
            return None
        ours = self._is_ours(box)
        if box.opens is not None:
            return (
                _by_person(None)
                if box.has_begun and not ours
                else Delivery(Arrival.NOT_NOW, NO_PLACE)
            )
        may_go = ours or (aside is not None and box.words == aside)
        return None if may_go else _by_person(box.text)

    def _is_ours(self, box: InputBox) -> bool:
        """Whether all that stands there are words that were sent: what an interrupted turn puts
        back, or what was never entered.
        """
        words = [self.agent.typed(text) for text in self.sent]
        # the mark of a paste says how long it is and not what: that can only be the last
        return any(box.holds(typed) for typed in (words[:1] if box.folds else words))

    def _clear(self, box: InputBox) -> InputBox | None:
        """Take away what stands there, as long as nobody types along."""
        for _ in range(ROUNDS):
            for key in self.agent.clearing_keys(box):
                self.runtime.press(self.handle, key)
            time.sleep(PAUSE)
            left = self._box()
            if left is None or left.is_empty or len(left.text) >= len(box.text):
                return left
            box = left
        return box

    def _pasted(self, before: InputBox, typed: str) -> bool:
        """Whether the place to type has come to hold exactly this."""
        last: InputBox | None = None
        same = 0

        def through() -> bool:
            nonlocal last, same
            box = self._box()
            if box is not None and box.holds(typed, fresh=True):
                return True
            same = same + 1 if box is not None and box == last else 0
            last = box
            # of a program whose place to type is not known: nothing but this is new on its screen,
            # and that has come to rest
            return (
                same >= AT_REST
                and box is not None
                and box.opens is not None
                and is_added(before, box, typed)
            )

        return self._wait_for(through, PASTE_SETTLES + len(typed) / 20_000)

    def _unpasted(self, typed: str) -> Delivery:
        box = self._box()
        if box is not None and box.is_empty and box.opens is None:
            return Delivery(Arrival.UNSURE, "it was typed, and does not stand in the place to type")
        return Delivery(
            Arrival.UNSURE,
            "it was typed, and something else stands in the place to type with it: that is not "
            "entered",
        )

    # --- Enter ------------------------------------------------------------------------------------

    def _enter(self, text: str, since: Callable[[], datetime], before: InputBox | None) -> Delivery:
        """Press Enter and wait for the agent's word; press once more when exactly
        this still stands there.
        """
        typed = self.agent.typed(text)
        for _ in range(2):
            pressed = self._view()
            self.runtime.press(self.handle, Key.ENTER)
            if self._wait_for(lambda: self._received(text, since()), ENTER_SETTLES / 2):
                return Delivery(Arrival.DELIVERED, "the agent says so")
            if self.agent.received(self.context, text, since()) is Answer.UNKNOWN:
                moved = self._view() != pressed and not self._keeps(typed)
                words = (
                    "the screen went on after Enter; the agent does not tell more"
                    if moved
                    else "nothing moved after Enter"
                )
                return Delivery(Arrival.DELIVERED if moved else Arrival.UNSURE, words)
            if not self._holds(typed, fresh=before is not None):
                break
        return Delivery(
            Arrival.UNSURE, "it was typed and entered; the agent has not said that it took it"
        )

    def _told(self, text: str, since: Callable[[], datetime]) -> Delivery:
        if self._wait_for(lambda: self._received(text, since()), ENTER_SETTLES):
            return Delivery(Arrival.DELIVERED, "the agent says so")
        return Delivery(
            Arrival.UNSURE, "it was handed over; the agent has not said that it took it"
        )

    def _holds(self, typed: str, *, fresh: bool = False) -> bool:
        box = self._box()
        return box is not None and box.holds(typed, fresh=fresh)

    def _keeps(self, typed: str) -> bool:
        """Whether it stands in a place to type that is known."""
        box = self._box()
        return box is not None and box.opens is None and box.holds(typed, fresh=True)

    def _box(self) -> InputBox | None:
        view = self._view()
        return self.agent.input_box(view) if view is not None and not view.scrolled else None

    def _region(self) -> InputBox | None:
        """The place to type, also while the agent works."""
        view = self._view()
        return self.agent.input_region(view) if view is not None and not view.scrolled else None

    def _received(self, text: str, since: datetime) -> bool:
        return self.agent.received(self.context, text, since) is Answer.YES

    def _view(self) -> View | None:
        return self.runtime.views([self.handle.id]).get(self.handle.id)

    def _wait_for(self, condition: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True


def _not_now(view: View | None) -> Delivery:
    return Delivery(Arrival.NOT_NOW, SCROLLED if view is not None and view.scrolled else NO_PLACE)


def _by_person(draft: str | None) -> Delivery:
    return Delivery(Arrival.NOT_NOW, PERSON, draft, by_person=True)


def shows(screen: str | None, text: str) -> bool:
    """Whether the end of a text stands on a screen, however the terminal broke its lines."""
    if not screen:
        return False
    tail = "".join(text.split())[-60:]
    return bool(tail) and tail in "".join(screen.split())
