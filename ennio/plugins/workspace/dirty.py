"""What is only in one working copy and would be lost with it: files not
committed, commits not pushed.

Repositories inside of it (submodules, a clone or a worktree the agent made there) are looked at
too: git itself sees no more of them than a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ennio.machine import single
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.plugins.git import COMMON, HEAVY, Git, GitCommand, as_asked, commit_of, readable
from ennio.plugins.workspace import inventory, unreferenced
from ennio.plugins.workspace.index import LISTED, Index, as_named
from ennio.plugins.workspace.interface import UnsavedPath
from ennio.plugins.workspace.inventory import Inventory
from ennio.plugins.workspace.worktree_list import WORKTREES, listed

FETCHED = ("--remotes", "--glob=refs/ennio/base")
"""Refs whose commits the ordered repository has, as arguments of ``git rev-list``."""
HERE = ("--branches", *FETCHED)
"""The same where the branches themselves stay."""
_STAYING = (
    "--exclude=refs/worktree/*",
    "--exclude=refs/bisect/*",
    "--exclude=refs/rewritten/*",
    "--all",
)
"""Refs that stay when a worktree goes: all but its own."""


@dataclass(frozen=True, slots=True)
class DirtyState:
    """One working copy at one moment. ``nested`` are the repositories inside
    of it that hold something.

    ``tips`` are commits whose history is in no place that stays; ``elsewhere`` tells those
    places. ``ignored`` are the paths git was told to ignore; what lies there is in
    ``inventory`` once it was taken.
    """

    git: Git
    head: str | None
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    tips: tuple[str, ...]
    own_commits: int
    elsewhere: tuple[str, ...]
    nested: tuple[DirtyState, ...] = ()
    index: Index = Index()
    ignored: tuple[str, ...] = ()
    inventory: Inventory = Inventory()

    def each(self) -> Iterator[DirtyState]:
        """This working copy and those inside of it."""
        yield self
        for inner in self.nested:
            yield from inner.each()

    @property
    def files(self) -> int:
        """Paths that differ from the last commit or are not in it; ignored ones do not count."""
        return sum(len(one.changed) + len(one.untracked) for one in self.each())

    @property
    def commits(self) -> int:
        """Commits that are in no place that stays."""
        return sum(one.own_commits for one in self.each())

    @property
    def is_clean(self) -> bool:
        """True when nothing at all would be lost, forgotten stashes included."""
        return not self.files and not any(one.tips for one in self.each())

    @property
    def unkept(self) -> tuple[UnsavedPath, ...]:
        """What goes with it and is saved nowhere, by paths from the top of this working copy."""
        root = self.git.directory
        return tuple(one for inner in self.each() for one in _unkept(inner, root))

    @property
    def lost(self) -> tuple[str, ...]:
        """Paths that stand in the way of a removal, each with the reason."""
        return tuple(
            readable(f"{one.git.directory / path} ({why})")
            for one in self.each()
            for path, why in one.inventory.lost
        )


def survey(
    git: Git, elsewhere: tuple[str, ...], *, whole: bool, tags: frozenset[str] | None = None
) -> DirtyState:
    """Look at a working copy; changes nothing in it.

    ``whole``: its repository ends with it, so all its refs and stashes count, not HEAD alone.
    ``tags`` are annotated ones that are kept in another place.
    """
    with git.machine.foreseen(_of_survey(git)):
        index = Index.read(git)
        with index.looked_at(git) as opened:
            status = _Status.read(opened)
        tips, commits = _tips(
            git,
            status.head,
            elsewhere,
            tags=_tags(git, tags or frozenset()) if whole else (),
            whole=whole,
        )
        paths = _inner(git, index, status)
        nested = tuple(_nested(git, paths, elsewhere, whole=whole))
    found = (status.head, status.branch, status.changed, status.untracked)
    return DirtyState(git, *found, tips, commits, elsewhere, nested, index, status.ignored)


def questions(git: Git, names: tuple[str, ...]) -> Questions:
    """What is asked of the machine for a survey, where it is known how paths are named."""
    asked = [GitCommand(git, words) for words in (LISTED, _PRIVATE, COMMON, WORKTREES)]
    asked.append(GitCommand(git, unreferenced.OWN_REFS))
    status = as_asked(GitCommand(git, _status(names)), HEAVY)
    return Questions(real=[git.directory], commands=[*map(as_asked, asked), status])


def _of_survey(git: Git) -> Questions:
    return questions(git, as_named(git)) if git.machine.name else NOTHING_ASKED


def counted(work: DirtyState) -> DirtyState:
    """The same with an inventory of every path in it; repositories git did not
    tell of are looked at too.
    """
    nested = tuple(counted(inner) for inner in work.nested)
    root = _root(work.git)
    inside = [_relative(root, inner.git) for inner in nested]
    modules = [path for path in work.index.modules if path not in inside]
    taken = inventory.take(
        work.git.machine,
        root,
        work.index.paths,
        (*work.changed, *work.untracked),
        work.ignored,
        (*inside, *modules),
    )
    more = [work.git.at(root / path) for path in taken.repositories]
    new = tuple(counted(survey(git, HERE, whole=True)) for git in more if git.common is not None)
    broken = tuple(
        (f"{_relative(root, git)}/.git", "it is no repository")
        for git in more
        if git.common is None
    )
    if new:  # what lies in them was taken for a part of this one
        return counted(replace(work, nested=(*nested, *new)))
    return replace(work, nested=nested, inventory=replace(taken, lost=(*taken.lost, *broken)))


def _unkept(one: DirtyState, root: Path) -> Iterator[UnsavedPath]:
    above = _relative(single.real(one.git.machine, root), one.git)
    prefix = "" if above == "." else f"{above}/"
    yield from (
        UnsavedPath(readable(prefix + path), size, "ignored")
        for path, size in one.inventory.ignored
    )
    yield from (
        UnsavedPath(readable(prefix + path), 0, kind) for path, kind in one.inventory.special
    )


def _root(git: Git) -> Path:
    return single.real(git.machine, git.directory)


def _relative(root: Path, git: Git) -> str:
    return _root(git).relative_to(root).as_posix()


_ALL = (
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=all",
    "--ignored=matching",
    "--no-renames",
    "--ignore-submodules=none",
)


_PRIVATE = ("rev-parse", "--absolute-git-dir")


def _status(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, "status", *_ALL)


@dataclass(frozen=True, slots=True)
class _Status:
    """``git status``: HEAD (None: nothing committed yet), and paths.
    ``repositories`` are untracked ones.
    """

    head: str | None
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    repositories: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def read(cls, git: Git) -> _Status:
        fields = git.run(*_status(as_named(git)), timeout=HEAVY).fields
        told = {
            words[1]: words[2]
            for words in (field.split(" ", 2) for field in fields if field.startswith("# "))
        }
        other = [field[2:] for field in fields if field.startswith("? ")]
        return cls(
            head=None if told["branch.oid"] == "(initial)" else told["branch.oid"],
            branch=None if told["branch.head"] == "(detached)" else told["branch.head"],
            changed=tuple(path for field in fields if (path := _changed(field)) is not None),
            untracked=tuple(path for path in other if not path.endswith("/")),
            repositories=tuple(path for path in other if path.endswith("/")),
            ignored=tuple(field[2:] for field in fields if field.startswith("! ")),
        )


def _changed(field: str) -> str | None:
    """The path of a record of a changed file; a submodule counts when it
    stands on another commit.
    """
    kind, _, rest = field.partition(" ")
    if kind == "u":
        return rest.split(" ", 9)[9]
    if kind != "1":
        return None
    status, module, *_, path = rest.split(" ", 7)
    return None if module.startswith("S.") and status[0] == "." else path


def _tips(
    git: Git, head: str | None, elsewhere: tuple[str, ...], *, tags: tuple[str, ...], whole: bool
) -> tuple[tuple[str, ...], int]:
    heads, named = [head] if head else [], unreferenced.named(git, _private(git))
    more: list[str] = []
    if whole:
        heads += git.run("for-each-ref", "--format=%(objectname)", "refs/heads").lines
        more = [*git.run("stash", "list", "--format=%H", check=False).lines, *_other_refs(git)]
    staying = elsewhere if whole else (*elsewhere, *_STAYING)
    with git.machine.foreseen(_of_tips(git, heads, named, more, elsewhere, staying)):
        rest = [*unreferenced.existing(git, named), *more]
        alone = _beyond(git, heads, elsewhere)
        ahead = [tip for tip in dict.fromkeys(heads) if tip in alone]
        # what no branch leads to needs a name of its own, unless what is saved anyway leads to it
        left = _beyond(git, rest, (*staying, *ahead))
    return (*ahead, *(tip for tip in dict.fromkeys(rest) if tip in left), *tags), len(alone)


def _of_tips(
    git: Git,
    heads: Sequence[str],
    named: Sequence[str],
    more: Sequence[str],
    elsewhere: tuple[str, ...],
    staying: tuple[str, ...],
) -> Questions:
    """What is asked of the machine for them, if all of these still are commits, and all heads or
    none are elsewhere.
    """
    if not git.machine.name:
        return NOTHING_ASKED
    rest, each = [*named, *more], tuple(dict.fromkeys(heads))
    asked = [_listing(git, heads, elsewhere)] if heads else []
    asked += [unreferenced.looking(git, named)] if named else []
    asked += [_listing(git, rest, places) for places in (staying, (*staying, *each)) if rest]
    asked += [GitCommand(git, commit_of(head)) for head in each]
    return Questions(commands=[as_asked(one) for one in asked])


def _beyond(git: Git, tips: list[str], elsewhere: tuple[str, ...]) -> frozenset[str]:
    """All commits these lead to, and no place elsewhere does."""
    if not tips:
        return frozenset()
    asked = _listing(git, tips, elsewhere)
    return frozenset(git.run(*asked.args, input=asked.given).lines)


def _listing(git: Git, tips: Sequence[str], elsewhere: tuple[str, ...]) -> GitCommand:
    given = "".join(f"{tip}\n" for tip in tips)
    return GitCommand(git, ("rev-list", "--stdin", "--not", *elsewhere), given)


def _other_refs(git: Git) -> tuple[str, ...]:
    """The commits of every ref that is neither a branch, nor of a remote, nor ours."""
    options = ("--format=%(objectname) %(objecttype) %(*objectname) %(refname)",)
    told = [line.split(" ") for line in git.run("for-each-ref", *options).lines]
    found = [
        (peeled if kind == "tag" else sha, ref)
        for sha, kind, peeled, ref in told
        if kind in ("commit", "tag")
    ]
    return tuple(
        sha
        for sha, ref in found
        if not ref.startswith(("refs/heads/", "refs/remotes/", "refs/ennio/", "refs/stash"))
    )


def _tags(git: Git, kept: frozenset[str]) -> tuple[str, ...]:
    """Annotated tags that no other place has: the words are lost with them."""
    told = [
        line.split(" ")
        for line in git.run(
            "for-each-ref", "--format=%(objectname) %(objecttype)", "refs/tags"
        ).lines
    ]
    return tuple(sha for sha, kind in told if kind == "tag" and sha not in kept)


def _private(git: Git) -> Path:
    return Path(git.run(*_PRIVATE).text)


def _inner(git: Git, index: Index, status: _Status) -> list[Path]:
    """Where repositories lie inside, as far as git tells."""
    root = _root(git)
    worktrees = [entry.path for entry in listed(git) if root in entry.path.parents]
    return list(
        dict.fromkeys([root / name for name in (*index.modules, *status.repositories)] + worktrees)
    )


def _nested(
    git: Git, paths: list[Path], elsewhere: tuple[str, ...], *, whole: bool
) -> Iterator[DirtyState]:
    root, common = _root(git), git.common
    for path in paths:
        inner = git.at(path)
        theirs = inner.common if single.exists(git.machine, path / ".git") else None
        if theirs is None:
            continue
        if theirs == common:
            yield survey(inner, elsewhere, whole=whole)
        else:
            ends = root in theirs.parents or (common is not None and common in theirs.parents)
            yield survey(inner, FETCHED if ends else HERE, whole=ends)
