"""Workspaces as shallow clones of the ordered repository: slower to make, with nothing shared.

A clone is made under another name and renamed when it is complete, so a half-made one is never
mistaken for work. It knows the last commits of the base branch and of the session's own; ``origin``
is the ordered repository, also when that lies on this machine; who commits and how a server is
reached is as in ``spec.source`` (see ``settings.py``). Work that is only in it is saved into
``spec.source`` where that is a repository, else as a bundle beside the clone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.questions import Questions
from ennio.machine.sandbox.confined import unconfined
from ennio.model.branch import check_branch
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import EnnioError, Refused
from ennio.model.facts import WorkspaceSeen
from ennio.plugins.git import HEAVY, NETWORK, Git, redacted
from ennio.plugins.workspace import folder, last_commit, ref_files, settings
from ennio.plugins.workspace.address import local_path
from ennio.plugins.workspace.branch_names import refuse_beside, refuse_twin
from ennio.plugins.workspace.dirty import FETCHED, DirtyState, survey
from ennio.plugins.workspace.glance import glance, questions, stands_on
from ennio.plugins.workspace.interface import Created, Existing, Glance, Removed, WorkspaceSpec
from ennio.plugins.workspace.prepare import prepare
from ennio.plugins.workspace.preserve import Preserver
from ennio.plugins.workspace.remotes import ASKED, Remotes
from ennio.plugins.workspace.repository import SourceRepository
from ennio.plugins.workspace.worktree_state import redirected

DEPTH = 50
"""Commits of history: enough to see what was done lately and to find where two branches parted."""


class CloneWorkspace:
    """Working copies that are repositories of their own."""

    name = "clone"

    def __init__(self, machine: Machine, clock: Clock | None = None) -> None:
        self._machine = machine
        self._clock = clock or SystemClock()

    def create(self, spec: WorkspaceSpec) -> Created:
        """Clone, or find the clone with whatever is in it, on whatever branch it is now."""
        check_branch(spec.branch)
        check_branch(spec.base)
        git = _standing(Git(self._machine, spec.path))
        began = git is None
        if git is None:
            git = _cloned(self._machine, spec)
            _check(spec, git)
        branch = (
            git.run("symbolic-ref", "--short", "--quiet", "HEAD", check=False).text or spec.branch
        )
        base = git.run("merge-base", "HEAD", f"refs/remotes/origin/{spec.base}", check=False).text
        made = Created(spec.path, branch, base or git.commit("HEAD") or "")
        return last_commit.noted(git, spec, made, began=began)

    def prepare(self, spec: WorkspaceSpec) -> None:
        """Links and ``post_create``."""
        prepare(self._machine, spec)

    def inspect(self, spec: WorkspaceSpec) -> WorkspaceSeen:
        """What would be lost with the clone: all its branches count; asks nobody but the disk."""
        git, now = _standing(Git(self._machine, spec.path)), self._clock.now()
        if git is None:
            return WorkspaceSeen(now, exists=False)
        work = _survey(git, _preserver(self._machine, spec).tags())
        return WorkspaceSeen(
            now,
            exists=True,
            branch=work.branch,
            head=work.head,
            uncommitted=work.files,
            unpushed=work.commits,
        )

    def remove(self, spec: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        """Save what is only there, then remove the clone."""
        git = _standing(Git(self._machine, spec.path))
        freed = Removed(spec.path, folder.size(self._machine, spec.path))
        if git is not None:
            preserver = _preserver(self._machine, spec)
            freed = preserver.save_for_removal(
                _survey(git, preserver.tags()), freed, dry_run=dry_run
            )
        if not dry_run:
            folder.discard(self._machine, spec.path)
            folder.discard(self._machine, _making(spec.path))
        return freed

    def remote(self, spec: WorkspaceSpec) -> str:
        """See ``Workspace.remote``: a clone has that one alone."""
        return "origin"

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
        """See ``Workspace.environment``: nothing is needed."""
        return {}

    def existing(self, root: Path, source: Path) -> Sequence[Existing]:
        """Every folder below ``root``."""
        paths = folder.children(self._machine, root)
        sizes = folder.sizes(self._machine, paths)
        return [
            Existing(path.name, path, _branch_of(Git(self._machine, path)), sizes[path])
            for path in paths
        ]


def _survey(git: Git, tags: frozenset[str]) -> DirtyState:
    return survey(git, FETCHED, whole=True, tags=tags)


def _standing(git: Git) -> Git | None:
    """The clone at a place, or None for nothing (an empty folder is nothing). Raises
    Refused for anything else.
    """
    machine, path = git.machine, git.directory
    if not single.exists(machine, path) or folder.is_empty(machine, path):
        return None
    meant, place = git.place, single.real(machine, path)
    if meant is None or meant.common != place / ".git":
        message = (
            f"{path} is in the way: it holds files but is no repository of its own; move it away"
        )
        raise Refused(message)
    if meant.private != meant.common or meant.top != place:
        raise redirected(path, meant)
    return git


def _cloned(confined: Machine, spec: WorkspaceSpec) -> Git:
    machine = unconfined(confined)  # nobody has worked in it yet
    making = _making(spec.path)
    machine.make_folder(spec.path.parent)
    folder.discard(machine, making)
    try:
        _fill(Git(machine, making), spec)
        machine.rename(making, spec.path)
    finally:
        folder.discard(machine, making)
    return Git(confined, spec.path)


def _check(spec: WorkspaceSpec, git: Git) -> None:
    """See that git means in it what was ordered; else it is taken away again."""
    meant = git.place
    top = single.real(git.machine, spec.path)
    if meant is None or meant.top != top or meant.branch != spec.branch:
        folder.discard(git.machine, spec.path)
        raise redirected(spec.path, meant)


def _making(path: Path) -> Path:
    return path.with_name(f".{path.name}.making")


def _fill(git: Git, spec: WorkspaceSpec) -> None:
    machine, making = git.machine, git.directory
    near = local_path(machine, spec.repo, spec.source)
    # a plain path would be cloned whole, with hard links: only an address has a depth
    address = spec.repo if near is None else near.absolute().as_uri()
    options = (
        "--progress",
        "--no-checkout",
        "--single-branch",
        f"--depth={DEPTH}",
        f"--branch={spec.base}",
    )
    known = single.is_folder(machine, spec.source)
    taken = settings.carried(machine, spec.source, making.parent) if known else ()
    try:
        git.at(making.parent).under(settings.as_environment(machine, taken)).run(
            "clone", *options, "--", address, str(making), timeout=NETWORK
        )
    except Refused as error:
        raise Refused(_words(spec, error)) from error
    settings.write(machine, taken, making / ".git" / "config")
    if Remotes.read(git.run(*ASKED, check=False)).ignores_case:
        told = git.run("ls-remote", "--heads", "origin", timeout=NETWORK).lines
        heads = [line.partition("\trefs/heads/")[2] for line in told]
        refuse_twin(spec.branch, heads, spec.repo)
    git.run("remote", "set-url", "origin", spec.repo if near is None else str(near.absolute()))
    # pushes of the branch are remembered, and a fetch does not fail while it is not
    # there yet: hence the star
    git.run(
        "config",
        "--add",
        "remote.origin.fetch",
        f"+refs/heads/{spec.branch}*:refs/remotes/origin/{spec.branch}*",
    )
    git.run(
        "checkout", "--quiet", "--no-track", "-B", spec.branch, _start(git, spec), timeout=HEAVY
    )


def _start(git: Git, spec: WorkspaceSpec) -> str:
    """The branch as it is at the remote already, else the base; and the last commit that was seen
    of it, where the remote still gives it away.
    """
    begin, base = _as_pushed(git, spec), f"refs/remotes/origin/{spec.base}"
    pushed = None if begin == base else begin
    if spec.seen_heads and last_commit.found(git, spec) is None:
        asked = ("fetch", "--progress", "--no-tags", f"--depth={DEPTH}", "--refmap=", "origin")
        git.run(*asked, spec.seen_heads[0], check=False, timeout=NETWORK)
    return last_commit.start(git, spec, base, pushed) if spec.seen_heads else begin


def _as_pushed(git: Git, spec: WorkspaceSpec) -> str:
    kept, ref = f"refs/remotes/origin/{spec.branch}", f"refs/heads/{spec.branch}"
    asked = _beside(ref)
    told = () if spec.branch == spec.base else git.run(*asked, timeout=NETWORK).lines
    heads = [line.partition("\trefs/heads/")[2] for line in told]
    refuse_beside(spec.branch, heads, redacted(spec.repo))
    if spec.branch not in heads:
        return f"refs/remotes/origin/{spec.base}"
    refspec = f"+{ref}:{kept}"
    git.run(
        "fetch",
        "--progress",
        "--no-tags",
        f"--depth={DEPTH}",
        "--refmap=",
        "origin",
        refspec,
        timeout=NETWORK,
    )
    return kept


def _beside(ref: str) -> tuple[str, ...]:
    """The question for a branch, and for those beside which git could not make it."""
    return "ls-remote", "--heads", "origin", ref, f"{ref}/*", *ref_files.folders(ref)


def _words(spec: WorkspaceSpec, error: Refused) -> str:
    if f"Remote branch {spec.base} not found" not in str(error):
        return str(error)
    return f"{redacted(spec.repo)} has no branch {spec.base} (set the project's default_branch)"


def _preserver(machine: Machine, spec: WorkspaceSpec) -> Preserver:
    try:
        repository = SourceRepository(unconfined(machine), spec.source, spec.repo)
    except EnnioError:
        return Preserver(spec.session_id, None, spec.path.parent)
    return Preserver(
        spec.session_id,
        repository.git,
        spec.path.parent,
        lambda: repository.bring(spec.base, spec.base),
    )


def _branch_of(git: Git) -> str | None:
    return git.run("symbolic-ref", "--short", "--quiet", "HEAD", check=False).text or None
