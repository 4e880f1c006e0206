"""What is found at the place of a session's worktree, and how a half-made one is told from work.

git keeps a worktree in two halves: the folder with its ``.git`` file, and a private folder in the
repository that points back. While ``git worktree add`` is at it, the latter is locked with the
reason ``initializing``; nobody has worked in a worktree that still is.

Which working copy git means is a matter of settings too (``core.worktree``, ``core.bare``, those of
a submodule): nothing is done in a place where it means another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FilePart, FileSpan
from ennio.model.errors import Refused
from ennio.plugins.git import Git, GitPlace
from ennio.plugins.workspace import folder, private
from ennio.plugins.workspace.repository import SourceRepository
from ennio.plugins.workspace.worktree_list import WorktreeEntry

_NOWHERE = GitPlace(Path(), Path(), None, None)
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


class WorktreeState(StrEnum):
    """What stands at a worktree's place."""

    ABSENT = "absent"  # no folder, or an empty one; perhaps git still lists it
    INCOMPLETE = "half"  # its making was cut short
    UNLINKED = "cut_off"  # full of files, but its .git file is gone
    STANDING = "standing"
    FOREIGN = "foreign"  # something we know nothing of
    REDIRECTED = "bent"  # a worktree of ours, in which git works on something else


@dataclass(frozen=True, slots=True)
class FoundWorktree:
    """A place, what stands there, and git's entry for it if there is one."""

    path: Path
    state: WorktreeState
    entry: WorktreeEntry | None


def is_untouched(repository: SourceRepository, path: Path) -> bool:
    """Whether nothing was ever made here, as the disk alone tells: neither a folder, nor an entry
    of git's that bears its name.

    git calls an entry as the folder is called, with a number behind it where that is taken. False
    where this cannot be told.
    """
    machine = repository.machine
    if single.exists(machine, path, follow=False) or not _PLAIN.fullmatch(path.name):
        return False
    try:
        names = machine.list(repository.common / "worktrees")
    except FileNotFoundError:
        return True
    return not any(name.startswith(path.name) for name in names)


def look(repository: SourceRepository, path: Path) -> FoundWorktree:
    """See what is there; changes nothing."""
    entry = _entry(repository, path)
    return FoundWorktree(path, _state(repository, path, entry), entry)


def _entry(repository: SourceRepository, path: Path) -> WorktreeEntry | None:
    """Git's entry for a place; by its real path, which git has written down where it could."""
    entries = [one for one in repository.worktrees() if not one.bare]
    place = single.real(repository.machine, path)
    found = next((one for one in entries if one.path == place), None)
    if found is not None:
        return found
    places = repository.machine.real([one.path for one in entries])
    return next((one for one, real in zip(entries, places, strict=True) if real == place), None)


def _state(repository: SourceRepository, path: Path, entry: WorktreeEntry | None) -> WorktreeState:
    if entry is not None and entry.locked == "initializing":
        return WorktreeState.INCOMPLETE
    machine = repository.machine
    if not single.exists(machine, path) or folder.is_empty(machine, path):
        return WorktreeState.ABSENT
    if not single.exists(machine, path / ".git"):
        return WorktreeState.UNLINKED if entry is not None else WorktreeState.FOREIGN
    meant = repository.git.at(path).place
    if entry is None or meant is None or meant.common != repository.common:
        return WorktreeState.FOREIGN
    return (
        WorktreeState.STANDING if is_worktree(repository, meant, path) else WorktreeState.REDIRECTED
    )


def is_worktree(repository: SourceRepository, meant: GitPlace, path: Path) -> bool:
    """Whether what git means at a place is the worktree there, and a
    worktree of this repository.
    """
    return (
        meant.common == repository.common
        and meant.private.parent == meant.common / "worktrees"
        and meant.top == single.real(repository.machine, path)
    )


def is_plain(repository: SourceRepository, path: Path, branch: str) -> bool:
    """Whether the files alone tell that git means this worktree, on this branch; False
    where git has to be asked.

    Only settings of its own could bend a linked worktree: git passes over ``core.worktree`` and
    ``core.bare`` of the repository.
    """
    machine = repository.machine
    own = private.folder(machine, path)
    if own is None or not repository.is_plain:
        return False
    names = ("HEAD", "commondir", "gitdir")
    try:
        head, common, back = map(_text, machine.read([FileSpan(own / name) for name in names]))
    except (OSError, ValueError):
        return False
    if head != f"ref: refs/heads/{branch}":
        return False
    real = machine.real([own / common, own, own / back, path])
    return real[0] == repository.common == real[1].parent.parent and real[2] == real[3] / ".git"


def _text(part: FilePart | OSError) -> str:
    if isinstance(part, OSError):
        raise part
    return part.data.decode().strip()


def redirected(path: Path, meant: GitPlace | None) -> Refused:
    """What is said of a place where git means something else."""
    there = (
        "no working copy at all"
        if meant is None or meant.top is None
        else f"{meant.top} (of {meant.private})"
    )
    way_out = (
        "look at core.worktree, core.bare and extensions.worktreeConfig: git config "
        "--show-origin --get-all core.worktree"
    )
    return Refused(f"in {path} git works on {there}, so nothing was done; {way_out}")


def tree(repository: SourceRepository, found: FoundWorktree) -> Git | None:
    """The worktree to work with, its ``.git`` file written again if need be;
    None when there is none.

    Raises Refused when something else is in its place.
    """
    if found.state is WorktreeState.FOREIGN:
        message = (
            f"{found.path} is in the way: it holds files but is no worktree of "
            f"{repository.source}; move it away"
        )
        raise Refused(message)
    if found.state is WorktreeState.REDIRECTED:
        raise redirected(found.path, repository.git.at(found.path).place)
    if found.state not in (WorktreeState.STANDING, WorktreeState.UNLINKED):
        return None
    git = repository.git.at(found.path)
    if found.state is WorktreeState.UNLINKED:
        pointer = f"gitdir: {_private(repository, found.path)}\n"
        repository.machine.write(found.path / ".git", pointer.encode(), mode=0o644)
        if not is_worktree(repository, git.place or _NOWHERE, found.path):
            raise redirected(found.path, git.place)
    return git


def forget(repository: SourceRepository, found: FoundWorktree) -> None:
    """Remove what is left of a worktree nobody's work is in: a half-made
    folder, and git's entry for it.

    Only this worktree's entry goes; ``git worktree prune`` would take the
    person's missing ones too.
    """
    machine = repository.machine
    if found.state is WorktreeState.INCOMPLETE:
        folder.discard(machine, found.path)
    elif folder.is_empty(machine, found.path):
        machine.remove([found.path])
    if found.entry is not None and not single.exists(machine, found.path):
        repository.git.run("worktree", "remove", "--force", "--force", str(found.entry.path))


def _private(repository: SourceRepository, path: Path) -> Path:
    """The worktree's private folder in the repository: the one that points to this path."""
    machine, entries = repository.machine, repository.common / "worktrees"
    owns = [entries / name for name in machine.list(entries)]
    told = zip(owns, machine.read([FileSpan(own / "gitdir") for own in owns]), strict=True)
    pointers = [(own, own / _text(part)) for own, part in told if isinstance(part, FilePart)]
    place, *real = machine.real([path, *(pointer for _, pointer in pointers)])
    for (own, _), pointer in zip(pointers, real, strict=True):
        if pointer == place / ".git":
            return own
    message = (
        f"{path} has lost its .git file and {repository.source} does not know it any more; move "
        "it away"
    )
    raise Refused(message)
