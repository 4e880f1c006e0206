"""How a repository forgets a worktree whose work is saved: its entry, and what nobody needs of its
branch. Everything is judged first, and then done in an order that a crash at any point forgives.
"""

from __future__ import annotations

from collections.abc import Sequence

from ennio.machine import single
from ennio.model.errors import EnnioError
from ennio.plugins.git import Git, GitDeed
from ennio.plugins.workspace import folder, removal_foresight, session_branch
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.removal_foresight import UPSTREAMS
from ennio.plugins.workspace.repository import SourceRepository
from ennio.plugins.workspace.worktree_list import WorktreeEntry


def left_behind(repository: SourceRepository, spec: WorkspaceSpec) -> str | None:
    """The ref that a push of the branch left here, where the ordered repository has no such branch
    any more, as after a merge; what its base is now is known then.
    """
    machine = repository.machine
    with machine.foreseen(removal_foresight.of_leaving(machine, spec)):
        if repository.own or repository.git.commit(session_branch.mark(spec)) is None:
            return None
        try:
            if repository.there(spec.branch) is not None:
                return None
            repository.bring(spec.base, spec.base)
        except EnnioError:
            return None
        return f"refs/remotes/{repository.remote}/{spec.branch}"


def dissolve(
    repository: SourceRepository, spec: WorkspaceSpec, head: str | None, tracked: str | None
) -> None:
    """Have the repository forget a worktree that is gone, and what nobody needs of its branch;
    ``tracked`` is what a push left of one that is gone from the ordered repository.
    """
    asked = removal_foresight.of_dissolving(repository, spec, head, tracked)
    with repository.machine.foreseen(asked):
        going, staying = parted(repository, spec)
        is_held = any(entry.branch == spec.branch for entry in staying)
        merged = _dropping_merged(repository, spec, tracked, is_held=is_held) if tracked else []
        if merged and not _are_of(merged, spec):
            # whether the rest may go is judged by what is there afterwards
            repository.git.run_each([*going, *merged])
            going, merged = [], []
        gone = bool(merged)
        deeds = [*going, *merged, *_dropping_branch(repository, spec, gone=gone, is_held=is_held)]
        if not repository.own and spec.branch != spec.base:
            deeds.append(_without(repository.kept(spec.branch)))
        repository.git.run_each(deeds)


def parted(
    repository: SourceRepository, spec: WorkspaceSpec
) -> tuple[list[GitDeed], list[WorktreeEntry]]:
    """What removes the entries of a worktree whose work is saved and of those the agent made inside
    of it, with the folder itself; and the other entries.
    """
    folder.discard(repository.machine, spec.path)
    place = single.real(repository.machine, spec.path)
    going, staying = list[GitDeed](), list[WorktreeEntry]()
    for entry in repository.worktrees():
        if entry.path == place or place in entry.path.parents:
            words = ("worktree", "remove", "--force", "--force", str(entry.path))
            going.append(GitDeed(words))
        else:
            staying.append(entry)
    return going, staying


def _dropping_branch(
    repository: SourceRepository, spec: WorkspaceSpec, *, gone: bool, is_held: bool
) -> list[GitDeed]:
    """What deletes the branch if this session made it, nobody has it checked out, and all of it is
    elsewhere. ``gone``: it is deleted by then.
    """
    git, (ref, mark) = repository.git, session_branch.refs(spec)
    start, tip = git.commit(mark), None if gone else git.commit(ref)
    if start is None:
        return []
    if tip is None:
        return [_without(mark)]
    if is_held or not _is_elsewhere(repository, spec, tip):
        return []
    words = f"delete {ref} {tip}\ndelete {mark}\n"
    return [*_forgetting(git, spec.branch), GitDeed(("update-ref", "--stdin"), words)]


def _forgetting(git: Git, branch: str) -> list[GitDeed]:
    """What forgets what the agent's push had set. It goes before its branch: a crash between
    leaves what leads here again.
    """
    keys = [entry.partition("\n")[0] for entry in git.run(*UPSTREAMS, check=False).fields]
    section = f"branch.{branch}"
    there = any(key.rpartition(".")[0] == section for key in keys)
    return [GitDeed(("config", "--remove-section", section), check=False)] if there else []


def _without(ref: str, value: str | None = None) -> GitDeed:
    """What deletes a ref, if it still has this value."""
    return GitDeed(("update-ref", "-d", ref, *(() if value is None else (value,))))


def _dropping_merged(
    repository: SourceRepository, spec: WorkspaceSpec, tracked: str, *, is_held: bool
) -> list[GitDeed]:
    """What deletes what a push of this session left of a merged branch that is gone at the remote,
    as ``git fetch --prune`` would.
    """
    git = repository.git
    there = git.commit(tracked)
    if there is None or not _is_merged(repository, spec, there):
        return []
    ref = f"refs/heads/{spec.branch}"
    tip, deeds = git.commit(ref), list[GitDeed]()
    if tip is not None and git.contains(tip, there) and not is_held:
        deeds = [*_forgetting(git, spec.branch), _without(ref, tip)]
    # last: whoever goes on after a crash knows the branch for merged by it
    return [*deeds, _without(tracked, there)]


def _are_of(deeds: Sequence[GitDeed], spec: WorkspaceSpec) -> bool:
    """Whether the branch goes with these."""
    return any(f"refs/heads/{spec.branch}" in deed.args for deed in deeds)


def _is_elsewhere(repository: SourceRepository, spec: WorkspaceSpec, tip: str) -> bool:
    """Whether a branch's commits are merged, pushed or saved.

    In the project's own repository the branch itself is what a pull request stands on: only merged
    ones go, squashed ones included (merging them again would change nothing).
    """
    git, base = repository.git, repository.kept(spec.base)
    if repository.own:
        return _is_merged(repository, spec, tip)
    if git.contains(tip, base):
        return True
    return bool(git.run(*removal_foresight.elsewhere(tip)).text)


def _is_merged(repository: SourceRepository, spec: WorkspaceSpec, tip: str) -> bool:
    """Whether the base has a commit, or all that it changes."""
    git, base = repository.git, repository.kept(spec.base)
    if git.contains(tip, base):
        return True
    merged = git.run(*removal_foresight.merging(base, tip), check=False)
    return merged.ok and merged.lines[:1] == git.run(*removal_foresight.tree_of(base)).lines
