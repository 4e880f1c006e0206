"""The factories of the shipped runtimes."""

from __future__ import annotations

from ennio.plugins.registry import PluginContext
from ennio.plugins.runtime.process import ProcessRuntime
from ennio.plugins.runtime.stub import StubRuntime
from ennio.plugins.runtime.tmux import TmuxRuntime


def tmux(context: PluginContext) -> TmuxRuntime:
    """Terminals in a tmux server of Ennio's own."""
    return TmuxRuntime(context.home.tmux_socket)


def process(context: PluginContext) -> ProcessRuntime:
    """Terminals held by a small daemon, ptyd, for machines without tmux."""
    return ProcessRuntime(context.home.root / "runtime")


def stub(context: PluginContext) -> StubRuntime:
    """For tests of what is above."""
    del context
    return StubRuntime()
