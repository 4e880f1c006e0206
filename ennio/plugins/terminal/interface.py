"""The terminal slot: a person's window on an agent's terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalOutput
from ennio.plugins.runtime.interface import TerminalStream


class Terminal(Protocol):
    """Connects a person to a running agent."""

    name: str

    def command(
        self, session_id: str, handle: RuntimeHandle, attach: Sequence[str]
    ) -> Sequence[str]:
        """The command a person runs to see the session; ``attach`` is the runtime's own."""
        ...


class BroadcastTerminal(Protocol):
    """What some offer beside: what a terminal puts out, for many who look at it."""

    def watch(
        self,
        session_id: str,
        begin: Callable[[], TerminalStream],
        stream: str | None,
        offset: int,
        timeout: float,
    ) -> TerminalOutput:
        """What follows an offset of this stream, waited for at most so many seconds. The terminal
        is looked at (``begin``) by one for all of them, and a while longer.
        """
        ...
