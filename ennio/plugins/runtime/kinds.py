"""The factories of the shipped runtimes."""

from __future__ import annotations

from ennio.plugins.registry import PluginContext
from ennio.plugins.runtime.process import ProcessRuntime
from ennio.plugins.runtime.stub import StubRuntime
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.runtime.tmux_servers import TmuxServers


def tmux(context: PluginContext) -> TmuxRuntime | TmuxServers:
    """Terminals in a tmux server of the instance's own; what an older version left on the shared
    one is looked after there.
    """
    shared = context.home.tmux_socket
    own = context.home.tmux_socket_of(context.instance) if context.instance else shared
    return (
        TmuxRuntime(context.machine, own)
        if own == shared
        else TmuxServers(TmuxRuntime(context.machine, own), TmuxRuntime(context.machine, shared))
    )


def process(context: PluginContext) -> ProcessRuntime:
    """Terminals held by a small daemon, ptyd, for machines without tmux."""
    return ProcessRuntime(context.machine, context.home.root / "runtime")


def stub(context: PluginContext) -> StubRuntime:
    """For tests of what is above."""
    del context
    return StubRuntime()
