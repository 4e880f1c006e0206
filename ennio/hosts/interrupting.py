"""Has an agent leave off what it is doing, and leaves nothing of that in its place to type.

A program of which nobody knows how it reads its keys may not act on Escape: the terminal itself
shows it as ``^[`` and keeps it for the next line, or the program takes it for the beginning of a
key. It would then stand before the next words, and look like a person's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ennio.hosts.typing_place import wait_for
from ennio.model.failpoints import seconds
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.box import InputBox, left_text
from ennio.plugins.agent.interface import Agent, EndsAtRest
from ennio.plugins.runtime.interface import Key, Runtime, View

LEAVES_OFF = 2.0  # seconds after which keys do not count as pressed twice
ECHO_SETTLES = seconds(0.5, shortened=0.2)
_ECHO = "^["


@dataclass(frozen=True, slots=True)
class Interrupting:
    """Interrupts in one terminal."""

    runtime: Runtime
    agent: Agent
    handle: RuntimeHandle

    def interrupt(self) -> None:
        """Press the keys, then those that take back what they left. Raises NotFound, Unreachable.

        An agent whose place to type is known needs the second not: what stands there is compared.
        One that would end by the keys at rest gets them only at work, and who interrupts again
        finds it at rest.
        """
        before = after = self._view()
        if self._would_end(before):
            return
        for key in self.agent.interrupt_keys:
            self.runtime.press(self.handle, key)
        if isinstance(self.agent, EndsAtRest):
            wait_for(lambda: (now := self._view()) is None or self._would_end(now), LEAVES_OFF)
            return
        if before is None or not self._is_guessed(before):
            return

        def moved() -> bool:
            nonlocal after
            after = self._view()
            return after != before

        wait_for(moved, ECHO_SETTLES)
        box = self.agent.input_box(after) if after is not None else None
        if after is not None and box is not None:
            for key in undoing(self.agent.interrupt_keys, before, after, box):
                self.runtime.press(self.handle, key)

    def _view(self) -> View | None:
        return self.runtime.views([self.handle.id]).get(self.handle.id)

    def _would_end(self, view: View | None) -> bool:
        """Whether it rests, and the keys would begin its end."""
        rests = view is not None and self.agent.is_ready_for_text(view.text)
        return rests and isinstance(self.agent, EndsAtRest)

    def _is_guessed(self, view: View) -> bool:
        box = self.agent.input_box(view)
        return box is not None and box.opens is not None


def undoing(pressed: tuple[Key, ...], before: View, after: View, box: InputBox) -> tuple[Key, ...]:
    """The keys that take back an Escape of which nobody knows who took it; what a person has begun
    to type stays.

    Shown by the terminal, it is the last letter of the line that has yet to be read. Else the line
    is cleared where nothing stands in it: that ends the beginning of a key as well.
    """
    if Key.ESCAPE not in pressed:
        return ()
    shown, was = left_text(after), left_text(before)
    if shown.endswith(_ECHO) and shown.removesuffix(_ECHO).rstrip() == was.rstrip():
        return (Key.ERASE,)
    return () if box.has_begun and not box.is_echo else (Key.CLEAR,)
