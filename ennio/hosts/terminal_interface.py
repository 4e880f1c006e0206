"""What actors ask of a host about the terminals of sessions' agents; a part of ``Host``."""

from __future__ import annotations

from typing import Protocol

from ennio.hosts.brief import Brief
from ennio.hosts.delivery import Delivery, Words
from ennio.model.terminal_view import TerminalOutput, TerminalShot


class AgentTerminals(Protocol):
    """Brings words to agents, and shows their terminals to people. Every call is safe to repeat."""

    def obstacle(self, brief: Brief, words: Words) -> Delivery | None:
        """What stands in the way of a delivery now; None when nothing does. Presses no key.
        Raises Unreachable, NotFound.
        """
        ...

    def deliver(self, brief: Brief, words: Words) -> Delivery:
        """Give the agent the words, at most once for a message id. Raises
        Unreachable, NotFound, Refused.
        """
        ...

    def settle(self, brief: Brief, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """Find out whether words in doubt arrived; typed but not entered, they are entered now."""
        ...

    def received(self, brief: Brief, words: Words) -> Delivery:
        """What the agent says of words that were on its command line; without its
        word they count as taken.
        """
        ...

    def put_back(self, brief: Brief, draft: str) -> bool:
        """Type what a person had begun to type, without Enter; whether it stands
        in the place to type now.
        """
        ...

    def interrupt(self, brief: Brief) -> None:
        """Press what makes the agent leave off. Raises NotFound."""
        ...

    def answer(self, brief: Brief, text: str) -> None:
        """Answer the question that the agent's screen shows right now. Raises Refused, NotFound."""
        ...

    def output(self, brief: Brief, lines: int) -> str:
        """The last lines of the terminal, with what scrolled away. Raises NotFound."""
        ...

    def attach_command(self, brief: Brief) -> tuple[str, ...]:
        """The command that connects a person's terminal to the agent's."""
        ...

    def watch(
        self, brief: Brief, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """What its terminal put out after an offset of this stream, waited for at most so many
        seconds; the whole picture where that is not remembered, or no stream is named.

        However many watch, the terminal is looked at once. Raises NotFound, Refused.
        """
        ...

    def shot(self, brief: Brief, history: int) -> TerminalShot:
        """Its screen, and so many lines above it. Raises NotFound, Refused."""
        ...

    def type_keys(self, brief: Brief, data: bytes, *, paste: bool) -> None:
        """Put these bytes into its terminal as a keyboard would, or as one paste.
        Raises NotFound, Refused.
        """
        ...

    def resize(self, brief: Brief, columns: int, rows: int) -> None:
        """Give its terminal another size. Raises NotFound, Refused."""
        ...
