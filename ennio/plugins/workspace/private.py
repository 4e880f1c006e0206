"""What Ennio keeps in a worktree's private folder, which nobody else's working copy reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileSpan, Machine
from ennio.machine.questions import Questions

_POINTER = 8192  # bytes; a path is no longer
EXCLUDE = "ennio.exclude"
"""The file of patterns that keep a worktree's links out of commits; the repository's own
``info/exclude`` is everybody's.
"""


def pointer(workspace: Path) -> FileSpan:
    """What is read of a worktree's ``.git`` file."""
    return FileSpan(workspace / ".git", most=_POINTER + 1)


def questions(workspace: Path, source: Path) -> Questions:
    """What is asked of the machine for the ``environment`` of a working copy, as far as it can be
    guessed what git calls its private folder.
    """
    own = source / ".git" / "worktrees" / workspace.name
    return Questions(files=(pointer(workspace),), states=(own, own / EXCLUDE))


def folder(machine: Machine, workspace: Path) -> Path | None:
    """A worktree's private folder in its repository, as its ``.git`` file tells; None
    for what is no worktree.
    """
    try:
        told = single.content(machine, workspace / ".git", _POINTER).decode()
    except (OSError, ValueError):
        return None  # a folder, nothing at all, or whatever an agent put there instead
    if "\0" in told:
        return None
    return workspace / told.removeprefix("gitdir:").strip()


def exclude(machine: Machine, workspace: Path) -> Path | None:
    """The file of patterns of a worktree, where it has one."""
    own = folder(machine, workspace)
    if own is None or not single.exists(machine, own / EXCLUDE):
        return None
    return own / EXCLUDE


def environment(machine: Machine, workspace: Path) -> Mapping[str, str]:
    """What has to be in the environment of whoever works in a working copy, so that git ignores
    its links; often nothing.

    Reads files only; for any folder, also one that is no worktree.
    """
    path = exclude(machine, workspace)
    return {} if path is None else settings(path)


def settings(path: Path) -> Mapping[str, str]:
    """The same, where it is known which file that is."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.excludesFile",
        "GIT_CONFIG_VALUE_0": str(path),
    }
