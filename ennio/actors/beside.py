"""What a session asks of its host besides the effects of its lifecycle: beside the mailbox too,
since a host may be far away or silent, and a kill never waits behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ennio.actors.actor import Actor
from ennio.actors.reply import Reply
from ennio.model.errors import Conflict, EnnioError


@dataclass(frozen=True, slots=True, eq=False)
class HostAsked:
    """A question under way: what follows in the mailbox, and who waits for that."""

    then: Callable[[Any], None]
    reply: Reply | None


class Beside:
    """The questions of one session that are under way. While there are some, no effect is begun,
    and so nobody types at the same time.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._asked: set[HostAsked] = set()

    @property
    def busy(self) -> bool:
        """Whether something was asked."""
        return bool(self._asked)

    def ask(
        self, run: Callable[[], Any], then: Callable[[Any], None], reply: Reply | None = None
    ) -> None:
        """Ask it; an error goes to who waits."""
        asked = HostAsked(then, reply)
        self._asked.add(asked)
        self._actor.perform(asked, run)

    def ended(self, asked: HostAsked, result: Any, error: EnnioError | None) -> None:
        """Go on with an answer. What follows may ask again, and answers who waits itself; nothing
        comes between the two.
        """
        if asked not in self._asked:
            error = error or Conflict("it is being ended")
        try:
            if error is not None:
                raise error
            asked.then(result)
        except EnnioError as refused:
            if asked.reply is not None:
                asked.reply.fail(refused)
        finally:
            self._asked.discard(asked)

    def forget(self) -> None:
        """Nobody waits for these any more: something more important is to be done."""
        self._asked.clear()
