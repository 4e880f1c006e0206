"""The repository worktrees hang on: the person's clone, or a bare one.

Nothing of the person's own is moved here: not the check-out, the index, HEAD, a branch that exists,
nor a ref of its remotes. What Ennio keeps in it are refs of its own: ``refs/ennio/base/<branch>``
(what Ennio fetched), ``refs/ennio/made/<session>`` (this session made its branch, and where it
began) and ``refs/ennio/preserved/<session>`` (saved work). A slash in a branch's name is written
``%2F`` there, so that a branch ``a`` of yesterday is never in the way of ``a/b``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote

from ennio.machine import single
from ennio.machine.interface import FileKind, Machine
from ennio.model.branch import blocker
from ennio.model.errors import Refused, Unreachable
from ennio.plugins.git import NETWORK, Git, GitOutput, redacted, side_by_side
from ennio.plugins.workspace import ref_files
from ennio.plugins.workspace.address import local_path
from ennio.plugins.workspace.branch_names import refuse_beside, refuse_twin
from ennio.plugins.workspace.remotes import ASKED, Remotes
from ennio.plugins.workspace.settled_remotes import SettledRemotes
from ennio.plugins.workspace.wanted_branches import WantedBranches, kept_ref, no_base
from ennio.plugins.workspace.worktree_list import WorktreeEntry, listed

# How long the branches a remote host told of are believed; a repository on this
# machine is asked every time.
_FRESH = 3.0


@dataclass(frozen=True, slots=True)
class BranchTips:
    """What the ordered repository holds: the base branch's head, and the
    session's branch if it is there.
    """

    base: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class _Heads:
    asked: float
    shas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Failure:
    ended: float
    error: Unreachable


class _Shared:
    """What all sessions on one repository share in this process: two locks, what the remote last
    said, and how the remotes were.
    """

    def __init__(self) -> None:
        self.alone = threading.Lock()
        self.fetching = threading.Lock()
        self.heads: dict[str, _Heads] = {}
        self.failures: dict[str, _Failure] = {}
        self.remotes: Remotes | None = None
        self.settled = SettledRemotes()


_shared: dict[tuple[str, Path], _Shared] = {}
_guard = threading.Lock()


class SourceRepository:
    """The source of a project's worktrees, and its relation to the repository the project is about.

    ``own``: the project is about this very repository, so there is nothing to fetch.
    """

    def __init__(self, machine: Machine, source: Path, repo: str) -> None:
        self.git = Git(machine, source)
        self.machine = machine
        self.source = source
        self.repo = repo
        self.common = common_of(self.git, repo)
        near = local_path(machine, repo, source)
        self.near = near if near is not None and single.is_folder(machine, near) else None
        self._near_common = None if self.near is None else _common_of(self.git.at(self.near))
        self.own = self.near is not None and self._near_common == self.common
        self.address = str(near) if near is not None else repo
        self._window = _FRESH if near is None else 0.0
        with _guard:
            self._shared = _shared.setdefault((machine.name, self.common), _Shared())

    @cached_property
    def remote(self) -> str | None:
        """The clone's name for the ordered repository, None when it has none (or is it)."""
        return None if self.own else self._remotes.of(self.repo, self.git)

    @property
    def is_plain(self) -> bool:
        """See ``Remotes.is_plain``."""
        return self._remotes.is_plain

    @property
    def remote_name(self) -> str:
        """What the ordered repository is called here, or will be; empty when it is this one."""
        return "" if self.own else self.remote or self._remotes.free_name

    def named(self) -> str:
        """``remote_name``, after a remote of that name was added where there is none
        for the ordered repository.
        """
        if not self.own and self.remote is None:
            self.git.run("remote", "add", self._remotes.free_name, self.address)
            self._remotes = self._learnt(self.git.run(*ASKED, check=False))
            del self.remote
        return self.remote_name

    def pushed(self, branch: str) -> str | None:
        """The branch in the ordered repository, where its clone here does not remember pushes by
        itself; None where it does, or cannot.
        """
        if self.own or self.remote is None or self._remotes.remembers(self.remote, branch):
            return None
        return self.there(branch)

    def there(self, branch: str) -> str | None:
        """The head of a branch in the ordered repository now. Raises Unreachable."""
        ref = f"refs/heads/{branch}"
        if self.near is not None:
            return self.git.at(self.near).run(*head_of(branch), check=False).text or None
        lines = self.git.run("ls-remote", "--heads", self.remote or self.address, ref).lines
        return next((line.split("\t")[0] for line in lines if line.endswith(f"\t{ref}")), None)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of other repositories, as they were written down here the last time."""
        remotes = self._shared.remotes
        return () if remotes is None else remotes.addresses

    @cached_property
    def _remotes(self) -> Remotes:
        if self.machine.name:  # at the end of a line files would be asked for apart
            return self._learnt(self.git.run(*ASKED, check=False))
        return self._settled()

    def _settled(self) -> Remotes:
        self._shared.remotes = self._shared.settled.now(self.git, self.common)
        return self._shared.remotes

    def _learnt(self, output: GitOutput) -> Remotes:
        self._shared.remotes = Remotes.read(output)
        return self._shared.remotes

    def alone(self) -> AbstractContextManager[object]:
        """Held by whoever adds or removes worktrees and branches: one at a time per repository."""
        return self._shared.alone

    def kept(self, branch: str) -> str:
        """The ref under which a branch of the ordered repository is known here."""
        return kept_ref(branch, own=self.own)

    def bring(self, base: str, branch: str) -> BranchTips:
        """Fetch what the two branches are now. Raises Unreachable; Refused
        when there is no such base.
        """
        asked = time.monotonic()
        tips = self.at_hand(base, branch, by_git=True)
        if tips is not None:
            return tips
        with self._shared.fetching:
            found = self._asked(base, branch, asked)
        return BranchTips(found[base], found.get(branch) if not self.own else None)

    def _asked(self, base: str, branch: str, asked: float) -> Mapping[str, str]:
        """Ask and fetch; who waited while another waited in vain gets the same answer, and
        does not wait as long again.
        """
        failed = self._shared.failures.get(self.address)
        if failed is not None and failed.ended >= asked:
            raise failed.error
        try:
            heads = self._heads(asked)
            if base not in heads:
                raise Refused(no_base(self.repo, base, heads))
            if blocker(branch, heads) and self.git.commit(f"refs/heads/{branch}") is None:
                refuse_beside(branch, heads, redacted(self.repo))
            there = [name for name in dict.fromkeys((base, branch)) if name in heads]
            return (
                self._here(base)
                if self.own
                else self._brought({name: heads[name] for name in there})
            )
        except Unreachable as error:
            self._shared.failures[self.address] = _Failure(time.monotonic(), error)
            raise

    def refuse_twin(self, branch: str) -> None:
        """Raise Refused where file names do not tell letter case apart, and a branch here or in the
        ordered repository differs from this one in nothing else: git would take it for that one.

        Of the ordered repository it is what ``bring`` was told.
        """
        if not self._remotes.ignores_case:
            return
        here = self.git.run("for-each-ref", "--format=%(refname)", "refs/heads").lines
        asked = self._shared.heads.get(self.address)
        names = [ref.removeprefix("refs/heads/") for ref in here]
        refuse_twin(branch, (*names, *(asked.shas if asked is not None else ())), self.repo)

    @property
    def places(self) -> tuple[tuple[Git, Path, str], ...]:
        """This one, and the ordered one where that is another on this machine: where git works,
        what its worktrees share, and how it is named.
        """
        here = (self.git, self.common, str(self.source))
        if self.own or self.near is None or self._near_common is None:
            return (here,)
        return here, (self.git.at(self.near), self._near_common, redacted(self.repo))

    def insist_on(self, base: str) -> None:
        """Raise Refused where files tell that the ordered repository has no such branch."""
        read = self._read(WantedBranches(base, base, self.own))
        if read is not None and base not in read[0] and not self._remotes.has_rewrites:
            raise Refused(no_base(self.repo, base, self._ask()))

    def at_hand(self, base: str, branch: str, *, by_git: bool = False) -> BranchTips | None:
        """The tips where the ordered repository lies on this machine and nothing of it has to be
        fetched; None where it takes more.

        All is asked at once. What to ask follows from the remotes as they were the last time; the
        answers count if they still are so. Refs are read from their files where these tell them,
        but ``by_git``: then git has seen to it that their commits are there.
        """
        guess = self._shared.remotes
        if self.near is None or guess is None or guess.has_rewrites or guess.ignores_case:
            return None
        wanted = WantedBranches(base, branch, self.own)
        read = None if by_git else self._read(wanted)
        if read is None:
            questions = wanted.questions(self.git, self.git.at(self.near))
            settings, *told = side_by_side(*questions)
            self._remotes = self._learnt(settings)
            read = _tips(told[0], wanted.there), _tips(told[-1], wanted.here)
        else:
            self._remotes = self._settled()
        theirs, ours = read
        if self._remotes != guess or base not in theirs:
            return None
        if any(ours.get(name) != tip for name, tip in theirs.items()):
            return None
        return BranchTips(theirs[base], None if self.own else theirs.get(branch))

    def _read(self, wanted: WantedBranches) -> tuple[Mapping[str, str], Mapping[str, str]] | None:
        """The branches there and here, as files tell them; None where they do not, or lie at the
        end of a line, where they would be asked for apart.
        """
        near, common = self.near, self._near_common
        if self.machine.name or near is None or common is None:
            return None
        theirs = ref_files.tips(self.machine, near, common, [*wanted.there.values()])
        ours = (
            theirs
            if self.own
            else ref_files.tips(self.machine, self.source, self.common, [*wanted.here.values()])
        )
        if theirs is None or ours is None:
            return None
        return _by_name(theirs, wanted.there), _by_name(ours, wanted.here)

    def worktrees(self) -> tuple[WorktreeEntry, ...]:
        """Every worktree git knows of, the main one first, the missing ones too."""
        return listed(self.git)

    def _brought(self, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """What the branches are once those that are not as they should be have been fetched."""
        tips = self._known(wanted)
        behind = [name for name, sha in wanted.items() if tips.get(name) != sha]
        if not behind:
            return tips
        self._fetch(behind)
        return self._here(*wanted)

    def _known(self, names: Iterable[str]) -> Mapping[str, str]:
        """The branches as they are known here, all at once; none where
        one of them cannot be read.
        """
        refs = {self.kept(name): name for name in names}
        lines = self.git.run(
            "for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", *refs, check=False
        )
        found = [line.split(" ") for line in lines.lines] if lines.ok else []
        return {refs[ref]: sha for sha, kind, ref in found if kind == "commit" and ref in refs}

    def _here(self, *branches: str) -> Mapping[str, str]:
        tips = {branch: self.git.commit(self.kept(branch)) for branch in branches}
        for branch, tip in tips.items():
            if tip is None:
                raise Refused(
                    f"branch {branch} of {redacted(self.repo)} is no commit in {self.source}: "
                    "its objects are missing"
                )
        return {branch: tip for branch, tip in tips.items() if tip is not None}

    def _fetch(self, branches: list[str]) -> None:
        if branches:
            specs = [f"+refs/heads/{name}:{self.kept(name)}" for name in branches]
            # an empty refmap: only what is named here moves, whatever the clone's own refspecs say
            options = (
                "--progress",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--refmap=",
            )
            self.git.run("fetch", *options, self.remote or self.address, *specs, timeout=NETWORK)

    def _heads(self, asked: float) -> Mapping[str, str]:
        """The branches of the ordered repository: one question serves all who
        waited while it was asked.
        """
        known = self._shared.heads.get(self.address)
        if known is None or known.asked < asked - self._window:
            known = _Heads(time.monotonic(), self._ask())
            self._shared.heads[self.address] = known
        return known.shas

    def _ask(self) -> Mapping[str, str]:
        near = self.source if self.own else self.near if not self._remotes.has_rewrites else None
        if near is not None:
            lines = (
                self.git.at(near)
                .run("for-each-ref", "--format=%(objectname)\t%(refname)", "refs/heads")
                .lines
            )
        else:
            lines = self.git.run(
                "ls-remote", "--heads", self.remote or self.address, timeout=NETWORK
            ).lines
        pairs = (line.split("\t", 1) for line in lines)
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}


def _tips(answer: GitOutput, refs: Mapping[str, str]) -> Mapping[str, str]:
    told = {ref: sha for sha, _, ref in (line.partition(" ") for line in answer.lines)}
    return _by_name(told, refs)


def _by_name(tips: Mapping[str, str], refs: Mapping[str, str]) -> Mapping[str, str]:
    return {name: tips[ref] for name, ref in refs.items() if ref in tips}


def head_of(branch: str) -> tuple[str, ...]:
    """What tells the head of a branch."""
    return "show-ref", "--verify", "--hash", f"refs/heads/{branch}"


def _common_of(git: Git) -> Path | None:
    """The directory all worktrees of a repository share; git is only asked where a look at the disk
    does not tell.
    """
    places = (git.directory / ".git", git.directory)
    near = next((place for place in places if _is_repository(git.machine, place)), None)
    return single.real(git.machine, near) if near is not None else git.common


def parts_of(place: Path) -> tuple[Path, ...]:
    """What tells a repository."""
    return tuple(place / name for name in ("HEAD", "objects", "refs", "commondir"))


def _is_repository(machine: Machine, place: Path) -> bool:
    """Whether git would take the directory for a repository that is nobody's worktree."""
    found = machine.stat(parts_of(place))
    kinds = [getattr(state, "kind", None) for state in found]
    return kinds == [FileKind.FILE, FileKind.FOLDER, FileKind.FOLDER, None]


def common_of(git: Git, repo: str) -> Path:
    """What worktrees share. Raises Refused, with the way out, where no repository is there."""
    source = git.directory
    if not single.is_folder(git.machine, source):
        clone = f"git clone {quote(redacted(repo))} {quote(str(source))}"
        raise Refused(f"the project's path {source} does not exist: {clone}")
    common = _common_of(git)
    if common is None:
        words = git.run("rev-parse", "--git-dir", check=False).stderr.strip()
        raise Refused(
            f"the project's path {source} is not the top of a git repository ({words}): set it "
            f"to a clone of {redacted(repo)}"
        )
    return common
