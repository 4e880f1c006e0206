"""The words of git commands that only ask."""

from __future__ import annotations

from collections.abc import Sequence

COMMON = ("rev-parse", "--git-common-dir")
"""What tells the directory that all worktrees of a repository share."""
PLACE = (
    "rev-parse", "--path-format=absolute", "--git-common-dir", "--absolute-git-dir",
    "--show-toplevel", "--symbolic-full-name", "HEAD",
)  # fmt: skip
"""What tells which repository and working copy git means."""
_READING = frozenset(
    {
        "cat-file", "check-ignore", "diff-files", "for-each-ref", "log", "ls-files", "ls-remote",
        "ls-tree", "merge-base", "rev-list", "rev-parse", "show-ref", "status",
        "merge-tree",  # it leaves objects behind that nothing leads to
    }
)  # fmt: skip
_LISTING = {
    "config": ("--get", "--get-all", "--get-regexp"),
    "stash": ("list",),
    "worktree": ("list",),
}


def only_reads(verb: str, args: Sequence[str]) -> bool:
    """Whether a command changes nothing, where it takes no optional locks."""
    return verb in _READING or any(word in args for word in _LISTING.get(verb, ()))


def commit_of(name: str) -> tuple[str, ...]:
    """What tells the commit that a name stands for."""
    return "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"


def is_within(ancestor: str, descendant: str) -> tuple[str, ...]:
    """What tells whether one commit is part of another's history."""
    return "merge-base", "--is-ancestor", ancestor, descendant
