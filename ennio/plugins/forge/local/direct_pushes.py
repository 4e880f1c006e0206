"""Commits of a session that came onto its base by a push, past every pull request: noticed, since
they cannot be prevented everywhere.

What was made in a working copy stands in the journal that git keeps of its HEAD; a pull or
a checkout makes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ennio.plugins.forge.local.repository import GitRepository

_MOST = 500
"""Commits of one working copy that are looked at: the latest."""
_LINE = re.compile(r"^(?P<old>[0-9a-f]{40,64}) (?P<new>[0-9a-f]{40,64}) .*\t(?P<deed>.*)$")
_MAKES = re.compile(
    r"commit\b|cherry-pick\b|revert\b|am\b|rebase (?:-i "
    r")?\((?:pick|reword|edit|squash|fixup|continue)\)|.*: Merge made by"
)


def commits_made_in(workspace: Path) -> tuple[str, ...]:
    """The commits that were made in a working copy, newest first; none where there is no
    journal. Reads files only.
    """
    try:
        lines = _journal(workspace).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found = (
        match["new"]
        for line in reversed(lines[-_MOST:])
        if (match := _LINE.match(line)) and _MAKES.match(match["deed"])
    )
    return tuple(dict.fromkeys(found))


def _journal(workspace: Path) -> Path:
    pointer = workspace / ".git"
    if pointer.is_dir():
        return pointer / "logs" / "HEAD"
    return (
        workspace
        / pointer.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        / "logs"
        / "HEAD"
    )


def direct_pushes(
    repository: GitRepository,
    base_head: str,
    made: Mapping[str, tuple[str, ...]],
    merged: Collection[str],
) -> Mapping[str, str]:
    """By session, the newest commit of its own that the base holds although no merge
    of ours brought it there.

    ``merged`` are the heads that were merged by us. At most three processes, and none
    where nobody made anything.
    """
    asked = list(dict.fromkeys(commit for commits in made.values() for commit in commits))
    held = _held(repository, asked, [base_head])
    pushed = held - _held(repository, sorted(held), merged) if held else held
    found = {
        session: next((commit for commit in commits if commit in pushed), None)
        for session, commits in made.items()
    }
    return {session: commit for session, commit in found.items() if commit is not None}


def _held(
    repository: GitRepository, commits: Iterable[str], holders: Collection[str]
) -> frozenset[str]:
    """Which of these commits are in the history of any of the holders; one that is not in
    the repository is in none.
    """
    present = repository.present([*commits])
    return (
        present - repository.outside(sorted(present), holders)
        if present and holders
        else frozenset()
    )
