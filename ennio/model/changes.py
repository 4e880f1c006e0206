"""What a pull request changes: its files, and the difference as text; from where its branch
left the base to its head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_FILES = 1000
LONGEST_DIFF = 1024 * 1024
"""Bytes of a difference that are shown; what is longer is cut after a whole line, and says so."""


@dataclass(frozen=True, slots=True)
class DiffStat:
    """Lines that are added and removed, in so many files."""

    added: int
    removed: int
    files: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file. ``status`` is added, modified, removed, renamed, copied or retyped; ``before`` its
    former path where it had another.

    Of a binary file nobody counts lines: ``added`` and ``removed`` are None.
    """

    path: str
    status: str
    added: int | None = None
    removed: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one head, compared with ``base`` (empty: not known).
    ``truncated``: there are more of them.
    """

    base: str
    head: str
    files: tuple[FileChange, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference as git writes it. ``truncated``: it is longer, or a part of it is not told."""

    base: str
    head: str
    text: str
    truncated: bool = False


def bounded(parts: Iterable[str], longest: int = LONGEST_DIFF) -> tuple[str, bool]:
    """Texts one after the other, cut after a whole line where they are too long
    together; and whether they were.
    """
    kept: list[str] = []
    room = longest
    for part in parts:
        size = len(part.encode("utf-8", "surrogateescape"))
        if size > room:
            beginning = part.encode("utf-8", "surrogateescape")[:room].decode("utf-8", "ignore")
            return "".join([*kept, beginning[: beginning.rfind("\n") + 1]]), True
        kept.append(part)
        room -= size
    return "".join(kept), False
