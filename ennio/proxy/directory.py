"""The files of the metering proxy, all in one folder that only its owner can look into.

lock                     held by the process for as long as it lives
port                     where it listens, also after it was started again
version                  of which version of Ennio it is
proxy.log                its own words
grants/<token>.json      who may pass, and where to
stops/<session>          why this session is stopped
headroom.json            what all of them may still use
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
    def headroom(self) -> Path:
        """What all of them may still use; not there where no budget holds anybody."""
        return self.root / "headroom.json"

    @property
    def usage(self) -> Path:
        """What passed."""
        return self.root / "usage"

    # What is looked at for every request is plain text: a Path takes longer to make than to stat.

    def grant_file(self, token: str) -> str:
        """Who may pass with this token, and where to."""
        return f"{self.root}/grants/{token}.json"

    def stop_file(self, session_id: str) -> str:
        """Why this session is stopped; not there while it is not."""
        return f"{self.root}/stops/{session_id}"

    def usage_file(self, session_id: str) -> str:
        """What passed of this session."""
        return f"{self.root}/usage/{session_id}.jsonl"

    def make(self) -> None:
        """Make the folders, for the owner alone."""
        for folder in (self.root, self.grants, self.stops, self.usage):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
