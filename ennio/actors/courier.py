"""Brings words to an agent's terminal: typed once, Enter pressed apart, arrival verified.

Before anything is typed it is written down that this is about to happen. After a doubt (a crash, an
agent that says nothing) the courier looks before it types again: first at what the agent itself says
it took, then at the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ennio.facts import Sighting
from ennio.model import RuntimeHandle
from ennio.plugins.agent.interface import Agent, Desk
from ennio.plugins.runtime.interface import Key, Runtime

PASTE_SETTLES = 2.0
ENTER_SETTLES = 8.0
PAUSE = 0.1
AT_REST = 3  # looks at a screen that moved once and then did not
CLEARINGS = 5  # what is left of a very long text after so many is sent along rather than never


class Arrival(StrEnum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    NOT_NOW = "not_now"  # the agent cannot take it; nothing was typed
    UNSURE = "unsure"  # it was typed; nobody saw it arrive
    MISSING = "missing"  # it was looked for and is not there: it may be typed again


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it ended, and how one knows."""

    arrival: Arrival
    detail: str


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers to one agent in one terminal."""

    runtime: Runtime
    agent: Agent
    desk: Desk
    handle: RuntimeHandle

    def deliver(self, text: str, since: Callable[[], datetime], mark: Callable[[], None]) -> Delivery:
        """Type the text. ``since`` is when this began, ``mark`` writes down that typing begins. Raises Unreachable, NotFound."""
        screen = self._screen()
        if screen is None or not self.agent.takes_text(screen):
            return Delivery(Arrival.NOT_NOW, "the screen shows no place to type")
        mark()
        empty = self._clear(screen)
        self.runtime.paste(self.handle, self.agent.typed(text))
        self._wait_for(self._pasted(empty, text), PASTE_SETTLES)
        return self._enter(text, since)

    def settle(self, text: str, since: datetime, *, alive: bool) -> Delivery:
        """Find out whether a text in doubt arrived; typed but not entered, it is entered now."""
        told = self.agent.received(self.desk, text, since)
        if told is Sighting.ALIVE:
            return Delivery(Arrival.DELIVERED, "the agent says so")
        if not alive:
            return Delivery(Arrival.MISSING, "the agent ended before it took it")
        if told is Sighting.GONE and not shows(self._screen(), text):
            return Delivery(Arrival.MISSING, "the agent has not taken it and it is not on the screen")
        if told is Sighting.GONE:
            if not self._typable():
                return Delivery(Arrival.UNSURE, "it is on the screen; no place to press Enter")
            return self._enter(text, lambda: since)
        shown = shows(self.runtime.output(self.handle, 2000), text)
        if shown:
            return Delivery(Arrival.DELIVERED, "it stands in the terminal; the agent does not tell more")
        return Delivery(Arrival.MISSING, "it does not stand in the terminal")

    def _clear(self, screen: str) -> str:
        """Empty the place to type: what a person, or an interrupted turn, left there is not ours to send. Returns the screen after it."""
        for _ in range(CLEARINGS):
            for key in self.agent.clearing(screen):
                self.runtime.press(self.handle, key)
            time.sleep(PAUSE)
            before, screen = screen, self._screen() or ""
            if screen == before:
                break
        return screen

    def _pasted(self, empty: str, text: str) -> Callable[[], bool]:
        """Tells, look by look, whether the paste is through: its end stands there, or agents that fold long texts have come to rest."""
        last, same = empty, 0

        def through() -> bool:
            nonlocal last, same
            screen = self._screen() or ""
            same = same + 1 if screen == last and screen != empty else 0
            last = screen
            return shows(screen, text) or same >= AT_REST

        return through

    def _enter(self, text: str, since: Callable[[], datetime]) -> Delivery:
        """Press Enter and wait for the agent's word; press once more when the text still stands there."""
        for _ in range(2):
            before = self._screen()
            self.runtime.press(self.handle, Key.ENTER)
            if self._wait_for(lambda: self._received(text, since()), ENTER_SETTLES / 2):
                return Delivery(Arrival.DELIVERED, "the agent says so")
            if self.agent.received(self.desk, text, since()) is Sighting.UNKNOWN:
                moved = self._screen() != before
                words = "the screen went on after Enter; the agent does not tell more" if moved else "nothing moved after Enter"
                return Delivery(Arrival.DELIVERED if moved else Arrival.UNSURE, words)
            if not shows(self._screen(), text) or not self._typable():
                break
        return Delivery(Arrival.UNSURE, "it was typed and entered; the agent has not said that it took it")

    def _typable(self) -> bool:
        """Enter is pressed where text is typed, never in a dialog that came up meanwhile."""
        screen = self._screen()
        return screen is not None and self.agent.takes_text(screen)

    def _received(self, text: str, since: datetime) -> bool:
        return self.agent.received(self.desk, text, since) is Sighting.ALIVE

    def _screen(self) -> str | None:
        return self.runtime.screens([self.handle.id]).get(self.handle.id)

    def _wait_for(self, condition: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True


def shows(screen: str | None, text: str) -> bool:
    """Whether the end of a text stands on a screen, however the terminal broke its lines."""
    if not screen:
        return False
    tail = "".join(text.split())[-60:]
    return bool(tail) and tail in "".join(screen.split())
