"""The index of a working copy, and a copy of it in which no path is exempt from being looked at.

``git update-index --assume-unchanged``, ``--skip-worktree`` and a sparse check-out tell git not to
look at tracked files. Whoever wants to know what would be lost has to look at them all the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileState, Machine
from ennio.plugins.git import Git
from ennio.plugins.workspace import private

LISTED = ("ls-files", "--stage", "-v", "-z")
"""What tells of all that is tracked."""
PLACE = ("rev-parse", "--git-path", "index")
"""What tells where it lies."""


@dataclass(frozen=True, slots=True)
class Index:
    """What is tracked. ``modules`` are recorded as a commit of another repository.

    ``assumed`` are said to be unchanged, ``skipped`` are said not to be there; both only where git
    would overlook something.
    """

    paths: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @classmethod
    def read(cls, git: Git) -> Index:
        """Read it in one request."""
        paths, modules, assumed, skipped = [], [], [], []
        for field in git.run(*LISTED).fields:
            told, _, path = field.partition("\t")
            tag, mode, *_ = told.split(" ")
            paths.append(path)
            if mode == "160000":
                modules.append(path)
            if tag.islower():
                assumed.append(path)
            if tag in "Ss":
                skipped.append(path)
        found = git.machine.stat([git.directory / path for path in skipped], follow=False)
        there = [path for path, state in zip(skipped, found, strict=True) if _is_there(state)]
        return cls(
            tuple(dict.fromkeys(paths)),
            tuple(dict.fromkeys(modules)),
            tuple(assumed),
            tuple(there),
        )

    @contextlib.contextmanager
    def opened(self, git: Git) -> Iterator[Git]:
        """The working copy with an index of its own in which git looks at every path; the
        real one stays as it is.
        """
        machine = git.machine
        actual = git.directory / git.run(*PLACE).text
        with contextlib.ExitStack() as undo:
            with machine.gathered():
                folder = machine.temporary_folder()
                undo.callback(machine.remove_tree, folder)
                copied = git.under({"GIT_INDEX_FILE": str(_copy(machine, actual, folder))})
            for option, paths in (
                ("--no-assume-unchanged", self.assumed),
                ("--no-skip-worktree", self.skipped),
            ):
                if paths:
                    copied.run(
                        "update-index", option, "-z", "--stdin", input="\0".join(paths) + "\0"
                    )
            yield copied

    @contextlib.contextmanager
    def looked_at(self, git: Git) -> Iterator[Git]:
        """The same, and the working copy itself where nothing is hidden in it."""
        if self.assumed or self.skipped:
            with self.opened(git) as copied:
                yield copied
        else:
            yield git


def as_named(git: Git) -> tuple[str, ...]:
    """Options with which git takes the paths of a working copy for what they are.

    For a disk that tells README from readme, where git was told that it does not: it would take one
    for the other. And for links that are to be ignored in this working copy alone.
    """
    case = (
        ()
        if single.exists(git.machine, git.directory / ".GIT", follow=False)
        else ("-c", "core.ignoreCase=false")
    )
    return _named(case, private.exclude(git.machine, git.directory))


def usually_named(exclude: Path | None) -> tuple[str, ...]:
    """The same where names differ by case, with this file of patterns."""
    return _named(("-c", "core.ignoreCase=false"), exclude)


def _named(case: tuple[str, ...], exclude: Path | None) -> tuple[str, ...]:
    return case if exclude is None else (*case, "-c", f"core.excludesFile={exclude}")


def _copy(machine: Machine, actual: Path, folder: Path) -> Path:
    """With its time: git tells by it which files it must read again."""
    copy = folder / "index"
    with contextlib.suppress(FileNotFoundError):
        machine.copy(actual, copy)
    return copy


def _is_there(state: FileState | OSError) -> bool:
    return not isinstance(state, OSError)
