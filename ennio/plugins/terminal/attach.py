"""A person's own terminal as the window on an agent's."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.model.errors import Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.registry import PluginContext


class AttachTerminal:
    """Runs the runtime's own attach command, also from inside a tmux of the person's."""

    name = "attach"

    def command(
        self, session_id: str, handle: RuntimeHandle, attach: Sequence[str]
    ) -> Sequence[str]:
        """See ``Terminal.command``. Raises Refused for a runtime without a terminal."""
        if not attach:
            raise Refused(
                f"session {session_id} runs in {handle.runtime_name}, which has no terminal; read "
                "its output instead"
            )
        # tmux refuses to attach inside another tmux, even when the two servers have
        # nothing to do with each other
        return ("env", "-u", "TMUX", "-u", "TMUX_PANE", *attach)


def build(context: PluginContext) -> AttachTerminal:
    """The terminal; it has no settings."""
    del context
    return AttachTerminal()
