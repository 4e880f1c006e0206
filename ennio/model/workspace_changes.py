"""What a session has changed: its files against where its branch left the base, up to the working
copy as it lies there or up to the last commit in it; and one file of it as git writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MOST_CHANGED = 3000
"""Files that are listed; all are counted."""
LONGEST_PATCH = 1024 * 1024
"""Bytes of a patch that are shown."""
LONGEST_DOWNLOAD = 16 * 1024 * 1024
"""Bytes of a patch that are given to whoever wants it whole."""
MANY_LINES = 20_000
"""So many lines that came or went are too many to be read in one piece."""


class Until(StrEnum):
    """What the base is compared with."""

    WORKTREE = "worktree"
    HEAD = "head"


class Folded(StrEnum):
    """Why a file is shown folded: nobody wrote it by hand."""

    LOCKFILE = "lockfile"
    GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file. ``status`` is added, modified, removed, renamed, copied, retyped or conflicted;
    ``before`` its former path where it had another.

    Of a binary file nobody counts lines: ``added`` and ``removed`` are None. ``mode`` and
    ``mode_before`` are git's, empty where there is no such side. ``size`` is bytes of the new side.
    ``untracked``: git does not know it yet. ``too_large``: its patch is not shown in one piece.
    """

    path: str
    status: str
    added: int | None = None
    removed: int | None = None
    before: str | None = None
    mode: str = ""
    mode_before: str = ""
    binary: bool = False
    submodule: bool = False
    untracked: bool = False
    too_large: bool = False
    size: int | None = None
    folded: Folded | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceDiff:
    """The files between ``base`` and the end that is shown.

    ``base_name`` is the branch it was left from; ``branch`` what is checked out, None on a detached
    HEAD; ``head`` None where nothing was committed yet. ``until`` is what was compared, which is
    the last commit where the working copy is gone; ``note`` says what is not as one might think.
    ``count``, ``added`` and ``removed`` are of all files, also where not all are listed. ``text``
    is the patch of all of them, where it was asked for; ``cut``: there is more of it.
    """

    base: str
    base_name: str
    head: str | None
    branch: str | None
    until: Until
    files: tuple[ChangedFile, ...]
    count: int
    added: int
    removed: int
    truncated: bool = False
    note: str = ""
    text: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class FilePatch:
    """One file as git writes it. ``truncated``: the patch is longer than was wanted, and ends after
    a whole line.
    """

    base: str
    head: str | None
    until: Until
    file: ChangedFile
    text: str
    truncated: bool = False


_LOCKFILES = frozenset(
    {
        *("bun.lock", "bun.lockb", "cargo.lock", "composer.lock", "conan.lock", "deno.lock"),
        *(
            "flake.lock",
            "gemfile.lock",
            "go.sum",
            "gradle.lockfile",
            "mix.lock",
            "package-lock.json",
        ),
        *("npm-shrinkwrap.json", "package.resolved", "packages.lock.json", "pdm.lock"),
        *("pipfile.lock", "pnpm-lock.yaml", "podfile.lock", "poetry.lock", "pubspec.lock"),
        *("shard.lock", "uv.lock", "yarn.lock"),
    }
)
_GENERATED = re.compile(
    r"(^|/)(node_modules|vendor|dist|__generated__|__snapshots__)/"
    r"|\.(min\.(js|css)|map|snap|pb\.go|designer\.cs|g\.dart|freezed\.dart)$"
    r"|(_pb2(_grpc)?\.pyi?|\.generated\.\w+)$",
    re.IGNORECASE,
)


def folded(path: str, *, generated: bool | None = None) -> Folded | None:
    """Why a file of this path is folded, or None; ``generated`` is what the repository itself says
    of it (``linguist-generated``).
    """
    if path.rpartition("/")[2].lower() in _LOCKFILES:
        return None if generated is False else Folded.LOCKFILE
    says = _GENERATED.search(path) is not None if generated is None else generated
    return Folded.GENERATED if says else None
