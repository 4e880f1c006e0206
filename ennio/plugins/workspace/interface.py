"""The workspace slot: the working copy a session has to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from ennio.config.model import Symlink
from ennio.machine.questions import Questions
from ennio.model.facts import Place, WorkspaceSeen
from ennio.model.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class WorkspaceSpec:
    """The working copy that is wanted. ``path`` follows from the session id, so a
    second call finds the first.

    ``branch`` starts from the freshly fetched ``base`` branch, unless it exists already (on the
    remote or here) and no other working copy holds it. ``log`` receives the output of hooks.
    ``seen_heads`` are commits that the branch was seen at, the last one first: one that was made
    before and is not there any more goes on at the latest of them that is in the repository.
    """

    project_id: str
    session_id: str
    repo: str
    source: Path
    path: Path
    branch: str
    base: str
    symlinks: tuple[Symlink, ...] = ()
    post_create: tuple[str, ...] = ()
    post_create_timeout: float = 600.0
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    submodules: bool = False
    seen_heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """A working copy that stands: where, on which branch, from which commit.

    ``remote`` is git's name for the ordered repository there; empty where the working copy is one
    of that very repository, so that a commit is where it belongs. ``note`` says what became of the
    last commit that was seen of its branch, ``lost`` that the branch does not have it.
    """

    path: Path
    branch: str
    base_head: str
    remote: str = "origin"
    note: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Existing:
    """A working copy found on disk. ``size`` in bytes."""

    session_id: str
    path: Path
    branch: str | None
    size: int


@dataclass(frozen=True, slots=True)
class UnsavedPath:
    """A path that goes with a working copy and is saved nowhere.

    ``why``: ``ignored``, or what it is (``link``, ``socket``, ``FIFO``, ``device``).

    A folder that is ignored as a whole ends in ``/``; ``size`` in bytes is that of all in it.
    """

    path: str
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal did: bytes freed, the ref that keeps what was only there (None: nothing was),
    and what is kept nowhere.
    """

    path: Path
    size: int
    preserved: str | None = None
    preserved_commits: int = 0
    preserved_files: int = 0
    unsaved: tuple[UnsavedPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """What stands at a working copy's place. ``where`` is the branch, commit
    or path that it is about.

    ``elsewhere`` is the place where its branch is checked out instead, when it is not on it.
    """

    place: Place
    where: str = ""
    elsewhere: str = ""


@runtime_checkable
class DemandingWorkspace(Protocol):
    """A workspace that knows before it makes anything what it is made of."""

    @failpoint(
        "workspace.insist", because="only looks; who cannot be asked keeps nothing from a spawn"
    )
    def insist(self, spec: WorkspaceSpec) -> None:
        """Raise Refused, with the way out, where there is no repository to make it of, its branch
        is taken there already, or the one it begins from is not there; asks the disk alone, and
        makes nothing.
        """
        ...

    def rests_on(self, spec: WorkspaceSpec) -> Questions:
        """What that asks of the machine."""
        ...

    def of_making(self, spec: WorkspaceSpec) -> Questions:
        """What ``create`` asks of the machine before it makes anything."""
        ...


@runtime_checkable
class Glanceable(Protocol):
    """A workspace whose working copies can be looked at without starting anything."""

    def glance(self, path: Path, branch: str, source: Path) -> Glance | None:
        """Look; a few small files are read. None where it cannot be told."""
        ...

    def stands_on(self, path: Path, branch: str) -> tuple[Path, ...]:
        """While these files are as they are a working copy stands as the last glance saw it; none
        where it did not stand, or nobody knows.
        """
        ...

    def foreseen(self, path: Path, branch: str, source: Path) -> Questions:
        """What the next glance asks of the machine, as far as the last one tells."""
        ...


class Workspace(Protocol):
    """Makes, inspects and removes working copies. Every call is safe to repeat."""

    name: str

    @failpoint("workspace.create", files=True)
    def create(self, spec: WorkspaceSpec) -> Created:
        """Make the working copy, or find it: one that stands is never rebuilt over what is in it.

        Raises Refused (no such base branch, branch held elsewhere), Unreachable (fetch failed).
        A failure leaves nothing half made.
        """
        ...

    @failpoint("workspace.prepare", files=True)
    def prepare(self, spec: WorkspaceSpec) -> None:
        """Submodules where they are wanted, symlinks, then ``post_create`` commands with a time
        limit; output is kept in ``spec.log``.

        Raises Refused naming the command, its exit code and the last lines of its output, the
        symlink that would leave the workspace, or the submodule that cannot be had; Unreachable
        when a server does not answer.
        """
        ...

    def remote(self, spec: WorkspaceSpec) -> str:
        """The name ``Created.remote`` will have; makes nothing."""
        ...

    @failpoint("workspace.environment")
    def environment(self, path: Path) -> Mapping[str, str]:
        """What a process needs in its environment so that git ignores the links in a
        working copy; reads files only.
        """
        ...

    @failpoint("workspace.inspect")
    def inspect(self, spec: WorkspaceSpec) -> WorkspaceSeen:
        """What would be lost with it."""
        ...

    @failpoint("workspace.remove", files=True)
    def remove(self, spec: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        """Save uncommitted and unpushed work under
        ``refs/ennio/preserved/<session>``, then remove it.

        Every path in it is saved, or in a commit that is kept elsewhere, or named in
        ``Removed.unsaved``. Gone already: nothing is freed. Raises Refused, with the names, when
        something cannot be saved.
        """
        ...

    def existing(self, root: Path, source: Path) -> Sequence[Existing]:
        """Every working copy of this kind below ``root`` (``<home>/<kind>s/<project>``)."""
        ...
