"""The branches that a session begins with, and what tells whether they are here already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ennio.plugins.git import Git, GitCommand, redacted
from ennio.plugins.workspace.remotes import ASKED


@dataclass(frozen=True, slots=True)
class WantedBranches:
    """The base and the session's own; ``own``: the project is about the source itself."""

    base: str
    branch: str
    own: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Those that may have to be fetched."""
        return tuple(dict.fromkeys((self.base,) if self.own else (self.base, self.branch)))

    @property
    def here(self) -> Mapping[str, str]:
        """Their refs in the source."""
        return {name: kept_ref(name, own=self.own) for name in self.names}

    @property
    def there(self) -> Mapping[str, str]:
        """Their refs in the ordered repository."""
        return {name: f"refs/heads/{name}" for name in self.names}

    def questions(self, source: Git, near: Git) -> tuple[GitCommand, ...]:
        """For the settings, the refs there, and those here where that is not the same."""
        here = () if self.own else (GitCommand(source, _shown(self.here)),)
        return GitCommand(source, ASKED), GitCommand(near, _shown(self.there)), *here


def kept_ref(branch: str, *, own: bool) -> str:
    """The ref under which a branch of the ordered repository is known in the source."""
    return f"refs/heads/{branch}" if own else f"refs/ennio/base/{quote(branch, safe='')}"


def no_base(repo: str, base: str, heads: Collection[str]) -> str:
    """That a repository with these branches has none to begin from, and the way out."""
    where = redacted(repo)
    if not heads:
        return f"{where} has no branch yet: commit something to {base} and push it"
    some = ", ".join(sorted(heads)[:8]) + (", ..." if len(heads) > 8 else "")
    return f"{where} has no branch {base}; it has: {some} (set the project's default_branch)"


def _shown(refs: Mapping[str, str]) -> tuple[str, ...]:
    """The question for these refs alone; git ends at the first that is not there. What lists them
    reads every ref beside them.
    """
    return ("show-ref", "--verify", "--", *refs.values())
