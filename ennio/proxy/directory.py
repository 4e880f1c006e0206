"""The files of the metering proxy, all in one folder that only its owner can look into.

lock                     held by the process for as long as it lives
port                     where it listens, also after it was started again
version                  of which version of Ennio it is
proxy.log                its own words
grants/<token>.json      who may pass, and where to
stops/<session>          why this session is stopped
usage/<session>.jsonl    what passed
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProxyDirectory:
    """Paths only; nothing is made here."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by the process for as long as it lives."""
        return self.root / "lock"

    @property
    def port(self) -> Path:
        """Where it listens, also after it was started again."""
        return self.root / "port"

    @property
    def version(self) -> Path:
        """Of which version of Ennio the process is."""
        return self.root / "version"

    @property
    def log(self) -> Path:
        """Its own words."""
        return self.root / "proxy.log"

    @property
    def grants(self) -> Path:
        """Who may pass, and where to."""
        return self.root / "grants"

    @property
    def stops(self) -> Path:
        """Why a session is stopped."""
        return self.root / "stops"

    @property
    def usage(self) -> Path:
        """What passed."""
        return self.root / "usage"

    def make(self) -> None:
        """Make the folders, for the owner alone."""
        for folder in (self.root, self.grants, self.stops, self.usage):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
