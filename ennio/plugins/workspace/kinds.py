"""The factories of the shipped workspaces."""

from __future__ import annotations

from ennio.plugins.registry import PluginContext
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.stub import StubWorkspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace


def worktree(context: PluginContext) -> WorktreeWorkspace:
    """A working tree of the person's repository."""
    return WorktreeWorkspace(context.machine, context.clock)


def clone(context: PluginContext) -> CloneWorkspace:
    """A shallow clone with a repository of its own."""
    return CloneWorkspace(context.machine, context.clock)


def stub(context: PluginContext) -> StubWorkspace:
    """For tests of what is above."""
    return StubWorkspace(context.machine, context.clock)
