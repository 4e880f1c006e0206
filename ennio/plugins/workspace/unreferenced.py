"""Commits that a working copy's private files lead to and no ref does: of what is under way in it,
and what a reset left behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ennio.plugins.git import Git

# A merge, pick, revert or rebase in progress keeps here what it was begun with; the last two are
# uncommitted work put aside.
_UNDER_WAY = (
    "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_START",
    "rebase-merge/orig-head", "rebase-apply/orig-head",
    "MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash",
)  # fmt: skip
_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
# What was amended or rebased has been replaced by what was made of it.
_REPLACED = re.compile(r"commit \(amend\)|rebase|pull --rebase")


def commits(git: Git, private: Path) -> tuple[str, ...]:
    """Those that still exist, in the order found. ``private`` is the working
    copy's own git directory.
    """
    found = tuple(dict.fromkeys([*_under_way(private), *_dropped(git, private), *_own_refs(git)]))
    if not found:
        return ()
    told = git.run(
        "cat-file",
        "--batch-check=%(objectname) %(objecttype)",
        input="".join(f"{sha}\n" for sha in found),
    ).lines
    return tuple(sha for sha, _, kind in (line.partition(" ") for line in told) if kind == "commit")


def _under_way(private: Path) -> Iterator[str]:
    for name in _UNDER_WAY:
        path = private / name
        if path.is_file():
            yield from _SHA.findall(path.read_text(encoding="utf-8", errors="replace"))


def _own_refs(git: Git) -> tuple[str, ...]:
    """Refs that a worktree has to itself."""
    return git.run(
        "for-each-ref", "--format=%(objectname)", "refs/worktree", "refs/bisect", "refs/rewritten"
    ).lines


def _dropped(git: Git, private: Path) -> Iterator[str]:
    """Commits that HEAD was moved away from, unless they were replaced."""
    log = private / "logs" / "HEAD"
    if log.is_file():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
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
