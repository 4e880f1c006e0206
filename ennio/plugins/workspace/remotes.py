"""What a clone's configuration says of other repositories, and which of its
remotes is the ordered one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ennio.plugins.git import Git, GitOutput
from ennio.plugins.workspace.address import is_same

ASKED = (
    "config",
    "-z",
    "--get-regexp",
    r"^((remote|url|extensions|include|includeif)\.|core\.ignorecase$)",
)


@dataclass(frozen=True, slots=True)
class Remotes:
    """The settings ``remote.<name>.*``, ``url.<base>.*``, ``extensions.*``, ``core.ignorecase`` and
    those that include other files, as they are written down, by key.
    """

    settings: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, output: GitOutput) -> Remotes:
        """What git answered to ``ASKED``."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in output.fields:
            key, _, value = entry.partition("\n")
            found[key] = (*found.get(key, ()), value)
        return cls(found)

    @property
    def has_rewrites(self) -> bool:
        """Whether git makes another address of one that is written down."""
        return any(key.startswith("url.") for key in self.settings)

    @property
    def is_plain(self) -> bool:
        """Whether the repository is one of the usual format, whose worktrees have
        no settings of their own.
        """
        return not any(key.startswith("extensions.") for key in self.settings)

    @property
    def includes(self) -> bool:
        """Whether settings may stand in files that settings name."""
        return any(key.startswith(("include.", "includeif.")) for key in self.settings)

    @property
    def ignores_case(self) -> bool:
        """Whether the files of the repository, and so its branches, lie where names that differ
        in letter case alone are one; git finds that out when it makes a repository.
        """
        told = self.settings.get("core.ignorecase", ("false",))[-1]
        return told.lower() in ("true", "yes", "on", "1", "")

    def of(self, repo: str, git: Git) -> str | None:
        """The remote whose address, as written or as git rewrites it, is the ordered one;
        ``origin`` before others.

        ``git`` works in the clone; it is asked only where addresses are rewritten.
        """
        pairs = [
            (key.removeprefix("remote.").removesuffix(".url"), url)
            for key, url in self._addresses()
        ]
        wanted = {repo}
        if self.has_rewrites:
            wanted.add(git.run("ls-remote", "--get-url", repo).text)
            rewritten = [
                line.removesuffix(" (fetch)")
                for line in git.run("remote", "-v").lines
                if line.endswith(" (fetch)")
            ]
            pairs += [(name, url) for name, _, url in (line.partition("\t") for line in rewritten)]
        return _first(git, pairs, wanted)

    @property
    def free_name(self) -> str:
        """The name for a remote that is to be added."""
        names = ("origin", "ennio", *(f"ennio-{number}" for number in range(2, 100)))
        return next(
            name
            for name in names
            if not any(key.startswith(f"remote.{name}.") for key in self.settings)
        )

    def remembers(self, remote: str, branch: str) -> bool:
        """Whether a push of a branch to a remote leaves a ref here that tells of it."""
        sources = [
            spec.removeprefix("+").partition(":")[0]
            for spec in self.settings.get(f"remote.{remote}.fetch", ())
        ]
        full = f"refs/heads/{branch}"
        return any(
            full == source or ("*" in source and full.startswith(source.partition("*")[0]))
            for source in sources
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of all remotes, as they are written down."""
        return tuple(url for _, url in self._addresses())

    def _addresses(self) -> list[tuple[str, str]]:
        named = (
            (key, values)
            for key, values in self.settings.items()
            if key.startswith("remote.") and key.endswith(".url")
        )
        return [(key, url) for key, values in named for url in values]


def _first(git: Git, pairs: list[tuple[str, str]], wanted: set[str]) -> str | None:
    names = {
        name
        for name, url in pairs
        if any(is_same(git.machine, url, address, git.directory) for address in wanted)
    }
    return min(names, key=lambda name: (name != "origin", name), default=None)
