"""The place to type of one agent's terminal, which a person shares: what stands there,
and whose it is.

What stands there of a person's is touched only where it may be put aside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ennio.hosts.delivery import Arrival, Delivery
from ennio.model.failpoints import seconds
from ennio.model.message import PERSON
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.box import InputBox, is_added
from ennio.plugins.agent.interface import Agent, Offering
from ennio.plugins.runtime.interface import Key, Runtime, View

PASTE_SETTLES = seconds(3.0, shortened=0.3)
PAUSE = 0.1
AT_REST = 3  # looks at a screen that moved once and then did not
ROUNDS = 3  # of keys that empty the place to type; who is not done then types along
SCROLLED = "a person reads back in the terminal (its copy mode)"
RESTS = 0.25
MOVES = "its screen moves; words wait until it rests"
NO_PLACE = "the screen shows no place to type"


@dataclass(frozen=True, slots=True)
class EmptyPlace:
    """The place to type with nothing in it; ``aside``: what a person typed was taken out for it."""

    box: InputBox
    aside: bool = False


@dataclass(frozen=True, slots=True)
class TypingPlace:
    """Looks at it, empties it, pastes into it; Enter is pressed by others. ``sent`` are the words
    the agent was sent before, the newest first; ``begun`` are words that may have been typed in
    part.
    """

    runtime: Runtime
    agent: Agent
    handle: RuntimeHandle
    sent: Sequence[str] = ()
    begun: str | None = None

    def view(self) -> View | None:
        """The terminal as it is now; None where there is none."""
        return self.runtime.views([self.handle.id]).get(self.handle.id)

    def cleared(self) -> View | None:
        """The terminal without an offer that the agent put before its place to type: it is
        declined, which changes nothing.
        """
        view = self.view()
        if view is None or view.scrolled or not self._is_offered(view):
            return view
        self.runtime.press(self.handle, Key.ESCAPE)
        wait_for(lambda: (now := self.view()) is None or not self._is_offered(now), PASTE_SETTLES)
        return self.view()

    def _is_offered(self, view: View) -> bool:
        return isinstance(self.agent, Offering) and self.agent.offers(view.text)

    def box(self) -> InputBox | None:
        """The place to type; None where there is none just now."""
        return self._box_of(self.view())

    def _box_of(self, view: View | None) -> InputBox | None:
        return self.agent.input_box(view) if view is not None and not view.scrolled else None

    def obstacle(self, view: View | None, aside: str | None) -> Delivery | None:
        """What stands in the way of words, without a key being pressed; ``aside`` is what a person
        typed and may be taken out.
        """
        if view is None or not self._takes(view):
            return _not_now(view)
        if self.agent.has_protocol:
            return None
        return self._hindered(self.agent.input_box(view), aside)

    def unrest(self, view: View | None) -> Delivery | None:
        """That something moves on a screen of which nobody knows where its place to type is: what
        looks like one may be in the middle of something.
        """
        box = self.agent.input_box(view) if view is not None else None
        if box is None or box.opens is None:
            return None
        time.sleep(RESTS)
        return None if self.view() == view else Delivery(Arrival.NOT_NOW, MOVES)

    def emptied(self, view: View, aside: str | None) -> EmptyPlace | Delivery:
        """The empty place to type, where there was no obstacle: our own words go from there, and a
        person's that may be put aside.
        """
        box = self.agent.input_box(view)
        if box is None:
            return Delivery(Arrival.NOT_NOW, NO_PLACE)
        if box.is_empty:
            return EmptyPlace(box)
        taken = aside is not None and not self._is_ours(box)
        left = self._clear(box)
        # of keys that are shown nothing may be left to be cleared but what the terminal drew
        if left is not None and (left.is_empty or left.is_echo):
            return EmptyPlace(left, taken)
        return replace(_by_person(left.text if left is not None else None), aside=taken)

    def put(self, typed: str) -> None:
        """Type it without Enter."""
        self.runtime.paste(self.handle, typed)

    def pasted(self, before: InputBox, typed: str) -> View | Delivery | None:
        """What the terminal shows once the place to type holds exactly this; None where it has to
        be looked at again before that is compared with.
        """
        last: InputBox | None = None
        view: View | None = None
        same = 0

        def through() -> bool:
            nonlocal last, same, view
            view = self.view()
            box = self._box_of(view)
            if box is not None and box.holds(typed, fresh=True):
                # of a place to type that is known the rest of the screen may still move
                view = view if box.opens is None else None
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

        held = wait_for(through, PASTE_SETTLES + len(typed) / 20_000)
        return view if held else self._unpasted(typed)

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
        return wait_for(
            lambda: (again := self._region()) is not None and again.holds(draft), PASTE_SETTLES
        )

    def holds(self, typed: str, *, fresh: bool = False) -> bool:
        """Whether exactly this stands there."""
        box = self.box()
        return box is not None and box.holds(typed, fresh=fresh)

    def keeps(self, typed: str) -> bool:
        """Whether it stands in a place to type that is known."""
        box = self.box()
        return box is not None and box.opens is None and box.holds(typed, fresh=True)

    def _takes(self, view: View) -> bool:
        if view.scrolled:
            return False
        return (
            self.agent.is_ready_for_text(view.text)
            if self.agent.has_protocol
            else self.agent.input_box(view) is not None
        )

    def _hindered(self, box: InputBox | None, aside: str | None) -> Delivery | None:
        if box is None:
            return Delivery(Arrival.NOT_NOW, NO_PLACE)
        if box.is_empty:
            return None
        ours = self._is_ours(box)
        if box.opens is not None:
            if box.is_echo or self._is_part(box):
                return None
            return (
                _by_person(None)
                if box.has_begun and not ours
                else Delivery(Arrival.NOT_NOW, NO_PLACE)
            )
        may_go = ours or (aside is not None and box.words == aside)
        return None if may_go else _by_person(box.text)

    def _is_ours(self, box: InputBox) -> bool:
        """Whether all that stands there are words that were sent: what an interrupted turn puts
        back, or what was never entered; or keys.
        """
        if box.is_echo or self._is_part(box):
            return True
        words = [self.agent.typed(text) for text in self.sent]
        # the mark of a paste says how long it is and not what: that can only be the last
        return any(box.holds(typed) for typed in (words[:1] if box.folds else words))

    def _is_part(self, box: InputBox) -> bool:
        return self.begun is not None and box.holds_part(self.agent.typed(self.begun))

    def _clear(self, box: InputBox) -> InputBox | None:
        """Take away what stands there, as long as nobody types along."""
        for _ in range(ROUNDS):
            for key in self.agent.clearing_keys(box):
                self.runtime.press(self.handle, key)
            time.sleep(PAUSE)
            left = self.box()
            if left is None or left.is_empty or len(left.text) >= len(box.text):
                return left
            box = left
        return box

    def _unpasted(self, typed: str) -> Delivery:
        box = self.box()
        if box is not None and box.is_empty and box.opens is None:
            return Delivery(Arrival.UNSURE, "it was typed, and does not stand in the place to type")
        return Delivery(
            Arrival.UNSURE,
            "it was typed, and something else stands in the place to type with it: that is not "
            "entered",
        )

    def _region(self) -> InputBox | None:
        """The place to type, also while the agent works."""
        view = self.view()
        return self.agent.input_region(view) if view is not None and not view.scrolled else None


def wait_for(condition: Callable[[], bool], within: float) -> bool:
    """Look again and again until it holds, or the time (seconds) is over; whether it held."""
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
