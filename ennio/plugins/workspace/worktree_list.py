"""The worktrees of a repository, as git lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.plugins.git import Git

WORKTREES = ("worktree", "list", "--porcelain")
"""What tells of all worktrees."""


@dataclass(frozen=True, slots=True)
class WorktreeEntry:
    """One worktree as git lists it. ``locked`` is the reason given, None when it is not locked."""

    path: Path
    branch: str | None = None
    head: str | None = None
    bare: bool = False
    locked: str | None = None


def listed(git: Git) -> tuple[WorktreeEntry, ...]:
    """The worktrees of the repository a directory belongs to, as ``git worktree list`` tells
    them: the main one first, the missing ones too.
    """
    records = git.run(*WORKTREES).stdout.strip("\n").split("\n\n")
    return tuple(_entry(record.split("\n")) for record in records if record)


def _entry(lines: list[str]) -> WorktreeEntry:
    said = {word: rest for word, _, rest in (line.partition(" ") for line in lines)}
    branch = said.get("branch")
    return WorktreeEntry(
        path=Path(said["worktree"]),
        branch=branch and branch.removeprefix("refs/heads/"),
        head=said.get("HEAD"),
        bare="bare" in said,
        locked=said.get("locked"),
    )
