"""What the removal of a worktree, and a look at what would be lost with it, are about to ask of a
machine; see ``foresight``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ennio.machine.interface import Command, Machine
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.plugins.git import COMMON, PLACE, Git, GitCommand, as_asked, commit_of, is_within
from ennio.plugins.workspace import (
    dirty,
    folder,
    foresight,
    private,
    session_branch,
    unreferenced,
)
from ennio.plugins.workspace.index import usually_named
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.preserve import PRESERVED, value_of
from ennio.plugins.workspace.repository import SourceRepository, head_of
from ennio.plugins.workspace.worktree_list import WORKTREES

UPSTREAMS = ("config", "-z", "--get-regexp", r"^branch\.")
"""What tells which branches have settings of their own."""


def of_inspecting(machine: Machine, spec: WorkspaceSpec) -> Questions:
    """Before it is looked what would be lost with a worktree."""
    if not machine.name:
        return NOTHING_ASKED
    known = foresight.found_before(machine, spec)
    asked, mine = (
        foresight.of_source(machine, spec, known),
        private.questions(spec.path, spec.source),
    )
    common = known.common if known is not None else spec.source / ".git"
    own = common / "worktrees" / spec.path.name
    tree = Git(machine, spec.path, above=spec.path.parent)
    survey = dirty.questions(tree, _names(own, spec))
    commands = [as_asked(GitCommand(tree, PLACE)), *survey.commands]
    if known is not None:
        source, _ = foresight.gits(machine, spec, known)
        branches = foresight.of_branches(machine, spec, known, alone=True)
        theirs = [as_asked(GitCommand(source, words)) for words in (WORKTREES, COMMON)]
        commands += [*theirs, *branches.commands]
    return Questions(
        states=[*asked.states, *mine.states, spec.path, spec.path / ".git"],
        links=[spec.path, spec.path / ".GIT"],
        real=[*asked.real, spec.path, spec.path / ".git", common, own],
        files=[*mine.files, *unreferenced.spans(own)],
        folders=[spec.path],
        commands=commands,
    )


def _names(own: Path, spec: WorkspaceSpec) -> tuple[str, ...]:
    """A session with links has a file of patterns of its own."""
    return usually_named(own / private.EXCLUDE if spec.symlinks else None)


def of_removing(machine: Machine, spec: WorkspaceSpec) -> Questions:
    """Before a worktree is removed."""
    if not machine.name:
        return NOTHING_ASKED
    asked, there = of_inspecting(machine, spec), folder.in_the_way(spec.path)
    return replace(
        asked,
        states=[*asked.states, *there.states],
        commands=[
            *asked.commands,
            folder.measuring([spec.path]),
            *of_leaving(machine, spec).commands,
            *_of_saved(machine, spec),
        ],
    )


def _of_saved(machine: Machine, spec: WorkspaceSpec) -> list[Command]:
    known = foresight.found_before(machine, spec)
    if known is None:
        return []
    source, _ = foresight.gits(machine, spec, known)
    return [as_asked(GitCommand(source, value_of(f"{PRESERVED}/{spec.session_id}")))]


def of_leaving(machine: Machine, spec: WorkspaceSpec) -> Questions:
    """Before it is asked whether its branch is gone from the ordered repository."""
    known = foresight.found_before(machine, spec)
    if known is None or known.own:
        return NOTHING_ASKED
    source, near = foresight.gits(machine, spec, known)
    branches = foresight.of_branches(machine, spec, known, alone=True)
    made = GitCommand(source, commit_of(session_branch.mark(spec)))
    there = GitCommand(near, head_of(spec.branch))
    return Questions(commands=[as_asked(made), as_asked(there), *branches.commands])


def of_dissolving(
    repository: SourceRepository, spec: WorkspaceSpec, head: str | None, tracked: str | None
) -> Questions:
    """Before a repository forgets a worktree that is gone, whose head was this commit, and what a
    push left of its branch.
    """
    machine, git = repository.machine, repository.git
    if not machine.name:
        return NOTHING_ASKED
    there, base = folder.in_the_way(spec.path), repository.kept(spec.base)
    asked = [WORKTREES, UPSTREAMS, *map(commit_of, session_branch.refs(spec))]
    if tracked is not None:
        asked.append(commit_of(tracked))
    if head is not None:
        asked += [is_within(head, base), elsewhere(head)]
        if tracked is not None or repository.own:
            asked += [merging(base, head), tree_of(base)]
    commands = [as_asked(GitCommand(git, words)) for words in asked]
    return replace(there, real=[spec.path], commands=commands)


def elsewhere(tip: str) -> tuple[str, ...]:
    """What tells whether a commit was pushed, fetched or saved."""
    refs = ("refs/remotes", "refs/ennio/base", f"{PRESERVED}/")
    return "for-each-ref", "--count=1", "--contains", tip, *refs


def merging(base: str, tip: str) -> tuple[str, ...]:
    """What tells the files of a base with a commit merged into it."""
    return "merge-tree", "--write-tree", base, tip


def tree_of(name: str) -> tuple[str, ...]:
    """What tells the files of a commit."""
    return "rev-parse", f"{name}^{{tree}}"
