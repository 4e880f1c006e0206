"""Commits that a working copy's private files lead to and no ref does: of what is under way in it,
and what a reset left behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ennio.machine.interface import FilePart, FileSpan
from ennio.plugins.git import Git, GitCommand

# A merge, pick, revert or rebase in progress keeps here what it was begun with; the last two are
# uncommitted work put aside.
_UNDER_WAY = (
    "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_START",
    "rebase-merge/orig-head", "rebase-apply/orig-head",
    "MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash",
)  # fmt: skip
_LONGEST_LOG = 256 << 20  # bytes
_NONE = (FileNotFoundError, NotADirectoryError)
_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
# What was amended or rebased has been replaced by what was made of it.
_REPLACED = re.compile(r"commit \(amend\)|rebase|pull --rebase")


OWN_REFS = (
    "for-each-ref", "--format=%(objectname)", "refs/worktree", "refs/bisect", "refs/rewritten"
)  # fmt: skip
"""The refs that a worktree has to itself."""


def named(git: Git, private: Path) -> tuple[str, ...]:
    """Those that there were, in the order found. ``private`` is the working copy's own git
    directory.
    """
    return tuple(
        dict.fromkeys(
            [*_under_way(git, private), *_dropped(git, private), *git.run(*OWN_REFS).lines]
        )
    )


def spans(private: Path) -> tuple[FileSpan, ...]:
    """What is read for them."""
    return (*_spans_under_way(private), _log_of(private))


def looking(git: Git, names: Sequence[str]) -> GitCommand:
    """What tells ``existing``."""
    given = "".join(f"{sha}\n" for sha in names)
    return GitCommand(git, ("cat-file", "--batch-check=%(objectname) %(objecttype)"), given)


def existing(git: Git, names: Sequence[str]) -> tuple[str, ...]:
    """Those of these that still are commits."""
    if not names:
        return ()
    asked = looking(git, names)
    told = git.run(*asked.args, input=asked.given).lines
    return tuple(sha for sha, _, kind in (line.partition(" ") for line in told) if kind == "commit")


def _under_way(git: Git, private: Path) -> Iterator[str]:
    for part in git.machine.read(_spans_under_way(private)):
        if isinstance(part, FilePart):
            yield from _SHA.findall(part.data.decode("utf-8", "replace"))
        elif not isinstance(part, _NONE):
            raise part


def _spans_under_way(private: Path) -> tuple[FileSpan, ...]:
    return tuple(FileSpan(private / name) for name in _UNDER_WAY)


def _log_of(private: Path) -> FileSpan:
    return FileSpan(private / "logs" / "HEAD", most=_LONGEST_LOG)


def _dropped(git: Git, private: Path) -> Iterator[str]:
    """Commits that HEAD was moved away from, unless they were replaced."""
    (log,) = git.machine.read([_log_of(private)])
    if isinstance(log, FilePart):
        lines = log.data.decode("utf-8", "replace").splitlines()
        moves = [(line.split(" ", 1)[0], line.partition("\t")[2]) for line in lines]
    else:  # kept elsewhere: this git stores its refs otherwise
        told = [
            line.partition(" ")
            for line in git.run("log", "-g", "--format=%H %gs", "HEAD", "--", check=False).lines
        ]
        moves = [(before[0], after[2]) for after, before in pairwise(told)]
    yield from (
        before
        for before, why in moves
        if _SHA.fullmatch(before) and before.strip("0") and not _REPLACED.match(why)
    )
