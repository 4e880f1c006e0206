"""What is only in one working copy and would be lost with it: files not committed, commits not pushed.

Repositories inside of it (submodules, a clone or a worktree the agent made there) are looked at too:
git itself sees no more of them than a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ennio.plugins.git import Git
from ennio.plugins.workspace.repository import listed

FETCHED = ("--remotes", "--glob=refs/ennio/base")
"""Refs whose commits the ordered repository has, as arguments of ``git rev-list``."""
HERE = ("--branches", *FETCHED)
"""The same where the branches themselves stay."""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """One working copy at one moment. ``nested`` are the repositories inside of it that hold something.

    ``tips`` are commits whose history is in no place that stays; ``elsewhere`` tells those places.
    """

    git: Git
    head: str | None
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    tips: tuple[str, ...]
    own_commits: int
    elsewhere: tuple[str, ...]
    nested: tuple[Unsaved, ...] = ()

    def each(self) -> Iterator[Unsaved]:
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
    def nothing(self) -> bool:
        """True when nothing at all would be lost, forgotten stashes included."""
        return not self.files and not any(one.tips for one in self.each())


def survey(git: Git, elsewhere: tuple[str, ...], *, whole: bool) -> Unsaved:
    """Look at a working copy; changes nothing in it.

    ``whole``: its repository ends with it, so all its branches and stashes count, not HEAD alone.
    """
    status = _Status.read(git)
    tips, commits = _tips(git, status.head, elsewhere, whole=whole)
    nested = tuple(_nested(git, status, elsewhere, whole=whole))
    return Unsaved(git, status.head, status.branch, status.changed, status.untracked, tips, commits, elsewhere, nested)


@dataclass(frozen=True, slots=True)
class _Status:
    """``git status``: HEAD (None: nothing committed yet), and paths. ``repositories`` are untracked ones."""

    head: str | None
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    repositories: tuple[str, ...]

    @classmethod
    def read(cls, git: Git) -> _Status:
        options = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
        fields = git.run("status", *options).fields
        told = {words[1]: words[2] for words in (field.split(" ", 2) for field in fields if field.startswith("# "))}
        other = [field[2:] for field in fields if field.startswith("? ")]
        return cls(
            head=None if told["branch.oid"] == "(initial)" else told["branch.oid"],
            branch=None if told["branch.head"] == "(detached)" else told["branch.head"],
            changed=tuple(path for field in fields if (path := _changed(field)) is not None),
            untracked=tuple(path for path in other if not path.endswith("/")),
            repositories=tuple(path for path in other if path.endswith("/")),
        )


def _changed(field: str) -> str | None:
    """The path of a record of a changed file; a submodule counts when it stands on another commit."""
    kind, _, rest = field.partition(" ")
    if kind == "u":
        return rest.split(" ", 9)[9]
    if kind != "1":
        return None
    status, module, *_, path = rest.split(" ", 7)
    return None if module.startswith("S.") and status[0] == "." else path


def _tips(git: Git, head: str | None, elsewhere: tuple[str, ...], *, whole: bool) -> tuple[tuple[str, ...], int]:
    heads = [head] if head else []
    stashes: tuple[str, ...] = ()
    if whole:
        heads += git.run("for-each-ref", "--format=%(objectname)", "refs/heads").lines
        stashes = git.run("stash", "list", "--format=%H", check=False).lines
    tips = tuple(tip for tip in dict.fromkeys([*heads, *stashes]) if git.run("rev-list", "-1", tip, "--not", *elsewhere).text)
    counted = [tip for tip in tips if tip in heads]
    return tips, int(git.run("rev-list", "--count", *counted, "--not", *elsewhere).text) if counted else 0


def _nested(git: Git, status: _Status, elsewhere: tuple[str, ...], *, whole: bool) -> Iterator[Unsaved]:
    root, common = git.directory.resolve(), git.common
    gitlinks = [entry.split("\t", 1)[1] for entry in git.run("ls-files", "--stage", "-z").fields if entry.startswith("160000 ")]
    worktrees = [entry.path for entry in listed(git) if root in entry.path.parents]
    for path in dict.fromkeys([root / name for name in (*gitlinks, *status.repositories)] + worktrees):
        inner = Git(path)
        theirs = inner.common if (path / ".git").exists() else None
        if theirs is None:
            continue
        if theirs == common:
            yield survey(inner, elsewhere, whole=whole)
        else:
            ends = root in theirs.parents or (common is not None and common in theirs.parents)
            yield survey(inner, FETCHED if ends else HERE, whole=ends)
