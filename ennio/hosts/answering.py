"""Answers the question that an agent's screen shows, key by key, as far as the screen follows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from ennio.model.errors import NotFound, Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.dialog_choices import NothingAsked
from ennio.plugins.agent.interface import Agent, AgentContext, ShowsQuestion
from ennio.plugins.agent.words import plain
from ennio.plugins.runtime.interface import Key, Runtime

MOVES = (
    40  # steps to an answer: as many choices as one question has, and some that a dialog swallowed
)
FOLLOWS = 10  # looks, until keys count as swallowed
# looks for what Enter changes; pressed again for one that is only late, it would answer the next
# question
ANSWERED = 50
# looks through which a question and its mark stand before Enter: one that has just come up may draw
# itself anew and forget the keys, as Claude Code's about trust does 0.15 s after it is seen, or not
# take any yet, as those about permissions do for as long
STANDS = 5
_ARROWS = frozenset({Key.UP, Key.DOWN, Key.LEFT, Key.RIGHT})
BETWEEN_KEYS = 0.1  # seconds; terminals for people take keys that come at once for a paste
SCREEN_FOLLOWS = 0.3  # seconds between two looks for a question that was told of


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers in one terminal."""

    runtime: Runtime
    agent: Agent
    context: AgentContext
    handle: RuntimeHandle

    def answer(self, text: str) -> None:
        """Answer the question that stands there right now. Raises Refused, NotFound, Unreachable.

        A dialog that has just come up may swallow keys, or forget them: Enter is pressed only
        where the screen shows that the mark stands on what is meant and stays there, and where
        the question stands unchanged after it, that is not called an answer.
        """
        keys, asked, stood = self._keys(text), self._asked(), False
        for _ in range(MOVES):
            arrows = tuple(takewhile(_ARROWS.__contains__, keys))
            if keys and not (arrows or stood):
                keys, stood = self._stood(text, keys)
                if not stood:
                    continue
                self._is_still(asked)
            step = arrows or keys[: keys.index(Key.ENTER) + 1 if Key.ENTER in keys else len(keys)]
            before = self._asked()
            self._press(step)
            if step == keys:
                return self._answered(before) if step == (Key.ENTER,) else None
            keys = self._moved(text, keys)
        raise Refused(
            f"the mark on {self._screen} does not move to what is meant; attach to the terminal "
            "and answer there"
        )

    @property
    def _screen(self) -> str:
        return f"the screen of session {self.context.session_id}"

    def _shown(self) -> str | None:
        return self.runtime.screens([self.handle.id]).get(self.handle.id)

    def _asked(self) -> str | None:
        """What its question says: beside that something may move while it waits."""
        screen = self._shown()
        if screen is None or not isinstance(self.agent, ShowsQuestion):
            return screen
        return self.agent.asked(screen)

    def _is_still(self, asked: str | None) -> None:
        if isinstance(self.agent, ShowsQuestion) and self._asked() != asked:
            raise Refused(
                f"another question stands on {self._screen} now, and nothing was answered: look at "
                "that one, and answer again"
            )

    def _answered(self, before: str | None) -> None:
        for _ in range(ANSWERED):
            if self._asked() != before:
                return
            time.sleep(BETWEEN_KEYS)
        raise Refused(
            f"nothing moved on {self._screen} after Enter; if it still asks, answer again"
        )

    def _press(self, keys: Sequence[Key | str]) -> None:
        for single in keys:
            if isinstance(single, Key):
                self.runtime.press(self.handle, single)
            else:
                self.runtime.paste(self.handle, plain(single))
            time.sleep(BETWEEN_KEYS)

    def _stood(self, text: str, moved: tuple[Key | str, ...]) -> tuple[tuple[Key | str, ...], bool]:
        """The keys that are left after a while, and whether they are those from before."""
        for _ in range(STANDS):
            time.sleep(BETWEEN_KEYS)
            if (keys := self._keys(text)) != moved:
                return keys, False
        return moved, True

    def _moved(self, text: str, before: tuple[Key | str, ...]) -> tuple[Key | str, ...]:
        """The keys that are left once the screen has followed; those from before when it
        does not, within a second.
        """
        for _ in range(FOLLOWS):
            keys = self._keys(text)
            if keys != before:
                return keys
            time.sleep(BETWEEN_KEYS)
        if before[0] is Key.ENTER:  # pressed twice, it would take back what it did
            raise Refused(
                f"{self._screen} does not follow; attach to the terminal and answer there"
            )
        return before

    def _keys(self, text: str) -> tuple[Key | str, ...]:
        """The keys that answer the question; none when it took the answer otherwise.

        A hook can be faster than the screen that it tells of, so that is waited for a moment.
        """
        for again in (True, True, True, False):
            screen = self._shown()
            if screen is None:
                raise NotFound(f"session {self.context.session_id} has no terminal any more")
            try:
                return (
                    ()
                    if self.agent.reply(self.context, screen, text)
                    else self.agent.answer(screen, text)
                )
            except NothingAsked:
                if not again:
                    raise
                time.sleep(SCREEN_FOLLOWS)
        raise AssertionError("the last try raises")
