"""A window that shows nothing but which command would have opened it."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.model.errors import Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.registry import PluginContext


class StubTerminal:
    """Prints the attach command instead of running it."""

    name = "stub"

    def command(
        self, session_id: str, handle: RuntimeHandle, attach: Sequence[str]
    ) -> Sequence[str]:
        """See ``Terminal.command``. Raises Refused for a runtime without a terminal."""
        if not attach:
            raise Refused(
                f"session {session_id} runs in {handle.runtime_name}, which has no terminal; read "
                "its output instead"
            )
        return ("echo", session_id, *attach)


def build(context: PluginContext) -> StubTerminal:
    """The terminal; it has no settings."""
    del context
    return StubTerminal()
