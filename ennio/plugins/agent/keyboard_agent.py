"""What an agent does that has a terminal and no protocol: it is typed to, and
takes the words as they are.
"""

from __future__ import annotations

from ennio.model.errors import Refused
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.words import plain
from ennio.plugins.runtime.interface import Key, View


class KeyboardAgent:
    """An agent that is spoken to by keys alone. Whoever has a protocol, or reads some words as
    commands, says so itself.
    """

    has_protocol = False

    def remembers(self, context: AgentContext) -> bool:
        """It goes on with what it was told, as far as anybody knows."""
        return True

    def input_region(self, view: View) -> InputBox | None:
        """It cannot be seen for sure."""
        return None

    def clearing_keys(self, box: InputBox) -> tuple[Key, ...]:
        """Ctrl-U and Ctrl-K, for each line and each line's end: they take away what is left
        and right of the cursor.
        """
        return () if box.is_empty else (Key.CLEAR, Key.KILL) * (2 * len(box.rows))

    def typed(self, text: str) -> str:
        """As it is, but for what would be a key."""
        return plain(text)

    def tell(self, context: AgentContext, screen: str, text: str) -> None:
        """It is typed to. Raises Refused."""
        raise Refused(f"session {context.session_id}: its agent takes words by its terminal alone")

    def reply(self, context: AgentContext, screen: str, text: str) -> bool:
        """It is answered by keys."""
        return False
