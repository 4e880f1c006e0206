"""The factories of the shipped workspaces."""

from __future__ import annotations

from ennio.plugins.registry import Context
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.stub import StubWorkspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace


def worktree(context: Context) -> WorktreeWorkspace:
    """A working tree of the person's repository."""
    return WorktreeWorkspace(context.clock)


def clone(context: Context) -> CloneWorkspace:
    """A shallow clone with a repository of its own."""
    return CloneWorkspace(context.clock)


def stub(context: Context) -> StubWorkspace:
    """For tests of what is above."""
    return StubWorkspace(context.clock)
