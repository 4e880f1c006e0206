"""The terminal slot: a person's window on an agent's terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ennio.model.session import RuntimeHandle


class Terminal(Protocol):
    """Connects a person to a running agent."""

    name: str

    def command(
        self, session_id: str, handle: RuntimeHandle, attach: Sequence[str]
    ) -> Sequence[str]:
        """The command a person runs to see the session; ``attach`` is the runtime's own."""
        ...
