"""Orders of a person that the step in hand stands in the way of: they wait beside for its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ennio.actors.actor import Actor
from ennio.actors.messages import EffectResult
from ennio.actors.reply import Reply
from ennio.model.errors import Conflict, EnnioError

PATIENCE = 6.0  # seconds; who asked still waits then


@dataclass(frozen=True, slots=True, eq=False)
class WaitingOrder:
    """What is to be done, and who waits for it. ``obstacle`` says what stands in its way and passes
    by itself; where it does not pass in time it is the answer, or with ``anyway`` does not count.
    """

    run: Callable[[], None]
    obstacle: Callable[[], EnnioError | None]
    reply: Reply
    anyway: bool


class WaitingOrders:
    """Those of one session, the oldest first. Its actor goes on with them whenever something that
    was under way has ended, and is told of each that has waited for long enough.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._waiting: list[WaitingOrder] = []

    def take(self, order: WaitingOrder) -> Reply:
        """Do it as soon as nothing stands in the way; it looks again then at what must hold."""
        self._waiting.append(order)
        self.go_on()
        if order in self._waiting:
            self._actor.later(PATIENCE, EffectResult(order))
        return order.reply

    def go_on(self) -> None:
        """Do what nothing stands in the way of any more."""
        for order in tuple(self._waiting):
            if order.obstacle() is None:
                self._end(order, None)

    def late(self, order: WaitingOrder) -> None:
        """It has waited for long enough."""
        if order in self._waiting:
            self._end(order, None if order.anyway else order.obstacle())

    def forget(self) -> None:
        """Nobody does these any more: something more important is to be done."""
        for order in tuple(self._waiting):
            self._end(order, Conflict("it is being ended"))

    def _end(self, order: WaitingOrder, hindrance: EnnioError | None) -> None:
        self._waiting.remove(order)
        try:
            if hindrance is not None:
                raise hindrance
            order.run()
        except EnnioError as refused:
            order.reply.fail(refused)
