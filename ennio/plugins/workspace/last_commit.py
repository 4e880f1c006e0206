"""The last commit that was seen of a session's branch, when its working copy is made again.

Who deletes a working copy by hand often deletes its branch with it. What was committed and not
pushed is in no branch then, and yet in the repository, until git clears it away: the branch goes on
there. Where it cannot, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from shlex import quote

from ennio.plugins.git import HEAVY, Git
from ennio.plugins.workspace.interface import Created, WorkspaceSpec

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MOVES = 1000  # of a branch, the latest
_ALONE = "was only in the working copy that is gone"


def found(git: Git, spec: WorkspaceSpec) -> str | None:
    """The latest of those that were seen and are whole in the repository; None where none is."""
    latest: str | None = None
    for name in filter(_COMMIT.fullmatch, dict.fromkeys(spec.seen_heads)):
        commit = git.commit(name)
        later = commit is not None and (latest is None or git.contains(latest, commit))
        if commit is not None and later and _is_whole(git, commit):
            latest = commit
    return latest


def start(git: Git, spec: WorkspaceSpec, base: str, pushed: str | None) -> str:
    """Where a branch that is not there begins: as it was pushed, else at the base; and at the last
    commit that was seen of it, where that is beyond.
    """
    begin, last = pushed or base, found(git, spec)
    if last is None or git.contains(last, begin):
        return begin
    goes_on = pushed is None or git.contains(pushed, last)
    return last if goes_on else begin


def _is_whole(git: Git, commit: str) -> bool:
    """Whether all is there that it needs: git clears away object by object."""
    asked = ("rev-list", "--objects", "--quiet", commit, "--not", "--all")
    return git.run(*asked, check=False, timeout=HEAVY).ok


def noted(
    git: Git,
    spec: WorkspaceSpec,
    made: Created,
    *,
    began: bool,
    keep: Callable[[str], str | None] | None = None,
) -> Created:
    """The working copy with what is to be told of that commit. ``git`` works in it.

    ``began``: its branch was made just now. ``keep`` gives a commit that no ref leads to a name;
    without one, what is gone was in the deleted working copy alone.
    """
    if not spec.seen_heads:
        return made
    last, tip = found(git, spec), git.commit("HEAD") or made.base_head
    branch, stands = spec.branch, f"{'begins again' if began else 'is'} at {tip[:7]}"
    if last is None:
        gone = f"is not in {spec.source} any more" if keep is not None else _ALONE
        words = f"its last commit {spec.seen_heads[0][:7]} {gone}: {branch} {stands}"
        return replace(made, note=words, lost=True)
    if last == tip:
        gone = f"its branch {branch} had been deleted; " if began else ""
        return replace(made, note=f"{gone}it goes on at {tip[:7]}, its last commit")
    if git.contains(last, tip) or (not began and _was_at(git, spec, last)):
        return made
    kept = keep(last) if keep is not None else None
    way = f"; it is kept: git -C {quote(str(spec.source))} log {kept}" if kept else ""
    words = f"its last commit {last[:7]} is not on {branch}, which {stands}{way}"
    return replace(made, note=words, lost=True)


def _was_at(git: Git, spec: WorkspaceSpec, commit: str) -> bool:
    """Whether the branch was at the commit and was moved on from there, as by an amend."""
    asked = ("rev-list", "--walk-reflogs", f"--max-count={_MOVES}", f"refs/heads/{spec.branch}")
    return commit in git.run(*asked, check=False).lines
