"""What an agent does that has a terminal and no protocol: it is typed to, and takes the words as they are."""

from __future__ import annotations

from ennio.plugins.agent.interface import Desk
from ennio.plugins.runtime.interface import Key


class Keyed:
    """An agent that is spoken to by keys alone. Whoever has a protocol, or reads some words as commands, says so itself."""

    def clearing(self, screen: str) -> tuple[Key, ...]:
        """Ctrl-U, whatever it shows."""
        return (Key.CLEAR,)

    def typed(self, text: str) -> str:
        """As it is."""
        return text

    def reply(self, desk: Desk, screen: str, text: str) -> bool:
        """It is answered by keys."""
        return False
