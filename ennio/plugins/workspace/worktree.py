"""Workspaces as git worktrees of the person's clone: made at once, sharing its objects.

The branch is a branch of the clone; the person's check-out, index, HEAD and configuration stay as
they are, and no upstream is set. ``git push -u REMOTE HEAD`` from the worktree reaches the ordered
repository by the name it has in the clone; where it has none, a remote is added. So a person in the
worktree can push, pull and fetch as in the clone. Submodules
stay empty unless the project says ``submodules: true`` (see ``prepare.py``).

Twenty sessions may start at once: fetching is asked once for all who wait, adding and removing go
one at a time per repository. A branch is deleted with its workspace only when this session made it
and nothing in it would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from shlex import quote

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.questions import Questions
from ennio.model.branch import check_branch
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import Refused, Unreachable
from ennio.model.facts import WorkspaceSeen
from ennio.plugins.git import HEAVY, Git
from ennio.plugins.workspace import (
    dissolution,
    folder,
    foresight,
    last_commit,
    private,
    removal_foresight,
    session_branch,
    worktree_state,
)
from ennio.plugins.workspace.branch_locks import past_stale_locks
from ennio.plugins.workspace.dirty import FETCHED, HERE, DirtyState, survey
from ennio.plugins.workspace.glance import glance, questions, stands_on
from ennio.plugins.workspace.interface import Created, Existing, Glance, Removed, WorkspaceSpec
from ennio.plugins.workspace.prepare import prepare
from ennio.plugins.workspace.preserve import Preserver
from ennio.plugins.workspace.repository import BranchTips, SourceRepository
from ennio.plugins.workspace.worktree_list import listed
from ennio.plugins.workspace.worktree_state import FoundWorktree, WorktreeState


class WorktreeWorkspace:
    """Working copies that are worktrees of ``spec.source``."""

    name = "worktree"

    def __init__(self, machine: Machine, clock: Clock | None = None) -> None:
        self._machine = machine
        self._clock = clock or SystemClock()

    def create(self, spec: WorkspaceSpec) -> Created:
        """Add the worktree, or find it with whatever is in it, on whatever branch it is now."""
        check_branch(spec.branch)
        check_branch(spec.base)
        with self._machine.foreseen(self.of_making(spec)):
            repository = SourceRepository(self._machine, spec.source, spec.repo)
            made = self._created(repository, spec)
        foresight.remember(repository)
        return made

    def _created(self, repository: SourceRepository, spec: WorkspaceSpec) -> Created:
        with repository.alone():
            tree = _mended(repository, spec)
            if tree is not None:
                repository.named()
            else:
                tips = repository.at_hand(spec.base, spec.branch)
                made = None if tips is None else _begun_at_hand(repository, spec, tips)
                if made is not None:
                    return made
        if tree is None:
            tips = repository.bring(spec.base, spec.branch)
            with repository.alone():
                tree = _mended(repository, spec)
                if tree is None:
                    return _begun(repository, spec, tips)
        return _made(repository, spec, tree)

    def insist(self, spec: WorkspaceSpec) -> None:
        """See ``DemandingWorkspace``. Nobody else has a branch of the session's own name."""
        repository = SourceRepository(self._machine, spec.source, spec.repo)
        if spec.branch != spec.session_id:
            session_branch.refuse_held(repository.worktrees(), spec)
            session_branch.refuse_blocked(repository, spec.branch)
        repository.insist_on(spec.base)

    def rests_on(self, spec: WorkspaceSpec) -> Questions:
        """See ``DemandingWorkspace``."""
        return foresight.of_source(self._machine, spec, None)

    def of_making(self, spec: WorkspaceSpec) -> Questions:
        """See ``DemandingWorkspace``."""
        return foresight.of_making(self._machine, spec)

    def prepare(self, spec: WorkspaceSpec) -> None:
        """Links and ``post_create``."""
        prepare(self._machine, spec)

    def inspect(self, spec: WorkspaceSpec) -> WorkspaceSeen:
        """What would be lost with the worktree; asks nobody but the disk."""
        now = self._clock.now()
        with self._machine.foreseen(removal_foresight.of_inspecting(self._machine, spec)):
            work = self._work(spec)
        if work is None:
            return WorkspaceSeen(now, exists=False)
        return WorkspaceSeen(
            now,
            exists=True,
            branch=work.branch,
            head=work.head,
            uncommitted=work.files,
            unpushed=work.commits,
        )

    def _work(self, spec: WorkspaceSpec) -> DirtyState | None:
        """What is only there; None where there is no worktree."""
        if not single.is_folder(self._machine, spec.path):
            return None
        repository = SourceRepository(self._machine, spec.source, spec.repo)
        tree = worktree_state.tree(repository, worktree_state.look(repository, spec.path))
        work = None if tree is None else _survey(repository, spec, tree)
        foresight.remember(repository)
        return work

    def remove(self, spec: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        """Save what is only there, then remove the worktree, and the branch if nothing needs it.

        Raises Refused for a worktree somebody locked.
        """
        machine = self._machine
        with machine.foreseen(removal_foresight.of_removing(machine, spec)):
            if not single.exists(machine, spec.path) and not single.is_folder(machine, spec.source):
                return Removed(spec.path, 0)
            repository = SourceRepository(machine, spec.source, spec.repo)
            there = worktree_state.look(repository, spec.path)
            tree = worktree_state.tree(repository, there)
            freed, work = Removed(spec.path, folder.size(machine, spec.path)), None
            if tree is not None:
                _check_lock(there, spec.source)
                work = _survey(repository, spec, tree)
            tracked = None if dry_run else dissolution.left_behind(repository, spec)
            if work is not None:
                preserver = _preserver(repository, spec)
                freed = preserver.save_for_removal(work, freed, dry_run=dry_run)
            if not dry_run:
                _hold(repository, spec, there)
                folder.discard(machine, spec.path)
        if not dry_run:
            head = work.head if work is not None else None
            with repository.alone():
                dissolved = partial(dissolution.dissolve, repository, spec, head, tracked)
                past_stale_locks(repository, session_branch.refs(spec), dissolved)
        return freed

    def remote(self, spec: WorkspaceSpec) -> str:
        """See ``Workspace.remote``."""
        return SourceRepository(self._machine, spec.source, spec.repo).remote_name

    def glance(self, path: Path, branch: str, source: Path) -> Glance | None:
        """See ``Glanceable.glance``."""
        return glance(self._machine, path, branch, source)

    def stands_on(self, path: Path, branch: str) -> tuple[Path, ...]:
        """See ``Glanceable.stands_on``."""
        return stands_on(self._machine, path, branch)

    def foreseen(self, path: Path, branch: str, source: Path) -> Questions:
        """See ``Glanceable.foreseen``."""
        return questions(self._machine, path, branch, source)

    def environment(self, path: Path) -> Mapping[str, str]:
        """See ``Workspace.environment``."""
        return private.environment(self._machine, path)

    def existing(self, root: Path, source: Path) -> Sequence[Existing]:
        """Every folder below ``root``, half-made ones too."""
        machine, git = self._machine, Git(self._machine, source)
        paths = folder.children(machine, root)
        stands = single.is_folder(machine, source) and git.common is not None
        entries = listed(git) if stands else ()
        places = machine.real([entry.path for entry in entries])
        branches = {place: one.branch for place, one in zip(places, entries, strict=True)}
        sizes, real = folder.sizes(machine, paths), machine.real(paths)
        return [
            Existing(path.name, path, branches.get(place), sizes[path])
            for path, place in zip(paths, real, strict=True)
        ]


def _survey(repository: SourceRepository, spec: WorkspaceSpec, tree: Git) -> DirtyState:
    """In the project's own repository a branch stays when its worktree goes; elsewhere
    it must have been pushed.
    """
    work = survey(tree, HERE if repository.own else FETCHED, whole=False)
    pushed = _pushed(repository, spec) if work.own_commits else None
    known = pushed is not None and tree.commit(pushed) is not None
    return survey(tree, (*FETCHED, pushed), whole=False) if pushed and known else work


def _pushed(repository: SourceRepository, spec: WorkspaceSpec) -> str | None:
    """What was pushed and left no trace here, as in a clone of one branch."""
    try:
        return repository.pushed(spec.branch)
    except Unreachable:
        return None  # then it is saved once more


def _mended(repository: SourceRepository, spec: WorkspaceSpec) -> Git | None:
    """The worktree if it stands; what is left of one that does not is cleared away."""
    if worktree_state.is_untouched(repository, spec.path):
        return None
    there = worktree_state.look(repository, spec.path)
    tree = worktree_state.tree(repository, there)
    if tree is None and (there.entry is not None or single.exists(repository.machine, spec.path)):
        _hold(repository, spec, there)
        worktree_state.forget(repository, there)
    return tree


def _hold(repository: SourceRepository, spec: WorkspaceSpec, there: FoundWorktree) -> None:
    """Keep the detached commit of a worktree whose folder somebody deleted; git's
    entry alone leads to it.
    """
    if (
        there.state is WorktreeState.ABSENT
        and there.entry is not None
        and there.entry.head is not None
    ):
        _preserver(repository, spec).keep_commit(there.entry.head)


def _begun(repository: SourceRepository, spec: WorkspaceSpec, tips: BranchTips) -> Created:
    made = partial(_added, repository, spec, tips)
    return past_stale_locks(repository, session_branch.refs(spec), made)


def _begun_at_hand(
    repository: SourceRepository, spec: WorkspaceSpec, tips: BranchTips
) -> Created | None:
    """The same, with tips that files told; None where it failed, and git does not find them at
    hand: a commit that a ref names may be gone.
    """
    try:
        return _begun(repository, spec, tips)
    except (Refused, Unreachable):
        if repository.at_hand(spec.base, spec.branch, by_git=True) == tips:
            raise
        return None


def _added(repository: SourceRepository, spec: WorkspaceSpec, tips: BranchTips) -> Created:
    """The worktree on its branch; a branch that was made for it goes again
    when it cannot be added.
    """
    repository.refuse_twin(spec.branch)
    git, named = repository.git, repository.remote_name
    start = last_commit.start(git, spec, tips.base, tips.branch)
    begun = session_branch.begun(repository, spec, tips.branch or tips.base)
    with ExitStack() as undo:
        with repository.machine.gathered():
            repository.machine.make_folder(spec.path.parent)
            new, added = session_branch.make(repository, spec, start, begun)
        if new:
            undo.callback(session_branch.unmake, repository, spec, start, begun)
        else:
            session_branch.take_over(repository, spec, tips)
        undo.callback(_clear, repository, spec)
        git.run(*session_branch.adding(spec), timeout=HEAVY, first=added)
        _check(repository, spec)
        undo.pop_all()
    repository.named()
    if spec.seen_heads or not new or start != tips.base:
        return _made(repository, spec, git.at(spec.path), began=new)
    return Created(spec.path, spec.branch, start, named)


def _check(repository: SourceRepository, spec: WorkspaceSpec) -> None:
    """See that git means in it what was ordered; else it is taken away again."""
    if worktree_state.is_plain(repository, spec.path, spec.branch):
        return
    meant = repository.git.at(spec.path).place
    if meant is None or not worktree_state.is_worktree(repository, meant, spec.path):
        raise worktree_state.redirected(spec.path, meant)
    if meant.branch != spec.branch:
        made = f"{spec.path} was made on {meant.branch or 'no branch'} instead of {spec.branch}"
        raise Refused(f"{made}, so it was taken away again")


def _made(
    repository: SourceRepository, spec: WorkspaceSpec, tree: Git, *, began: bool = False
) -> Created:
    head = tree.commit("HEAD") or ""
    branch = tree.run("symbolic-ref", "--short", "--quiet", "HEAD", check=False).text or spec.branch
    base = tree.run("merge-base", "HEAD", repository.kept(spec.base), check=False).text or head
    made = Created(spec.path, branch, base, repository.remote_name)
    keep = _preserver(repository, spec).keep_commit
    return last_commit.noted(tree, spec, made, began=began, keep=keep)


def _check_lock(there: FoundWorktree, source: Path) -> None:
    if there.entry is not None and there.entry.locked is not None:
        reason = f" ({there.entry.locked})" if there.entry.locked else ""
        way = f"git -C {quote(str(source))} worktree unlock {quote(str(there.path))}"
        message = f"{there.path} is locked{reason}: {way}"
        raise Refused(message)


def _preserver(repository: SourceRepository, spec: WorkspaceSpec) -> Preserver:
    return Preserver(spec.session_id, repository.git, spec.path.parent)


def _clear(repository: SourceRepository, spec: WorkspaceSpec) -> None:
    """Remove folder and entry of a worktree whose work is saved, and of those the
    agent made inside of it.
    """
    going, _ = dissolution.parted(repository, spec)
    repository.git.run_each(going)
