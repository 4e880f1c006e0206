"""Where Ennio keeps its files: everything under ``ENNIO_HOME`` (default ``~/.ennio``).

    worktrees/<project>/<session>   clones/<project>/<session>   the workspaces
    sessions/<session>/             launch file, prompt, transcript, hook output (0700)
    forge/<project>/                check-outs and logs of the local forge's checks
    trust/                          what was trusted of each configuration file (0700)
    run/<instance>/                 lock, pid, address and token of one supervisor (0700)

An *instance* is one supervisor on one database: its key is the readable name of the folder the
configuration lies in plus a hash of the configuration file's path.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path


def program() -> str:
    """How a shell calls Ennio from any folder of this machine."""
    own = Path(__file__).resolve().parents[1] / "bin" / "ennio"
    return shlex.join([str(own)] if own.exists() else [sys.executable, "-m", "ennio.cli"])


@dataclass(frozen=True, slots=True)
class Home:
    """The folder tree of one ``ENNIO_HOME``; paths only, nothing is made here."""

    root: Path

    @classmethod
    def of_environment(cls) -> Home:
        """The home named by ``ENNIO_HOME``, else ``~/.ennio``."""
        return cls(Path(os.environ.get("ENNIO_HOME") or "~/.ennio").expanduser().absolute())

    def workspace(self, kind: str, project_id: str, session_id: str) -> Path:
        """The one place a session's workspace can be: ``<kind>s/<project>/<session>``."""
        return self.root / f"{kind}s" / project_id / session_id

    def session(self, session_id: str) -> Path:
        """The session's own folder, outside of its workspace."""
        return self.root / "sessions" / session_id

    def forge(self, project_id: str) -> Path:
        """The local forge's folder for a project."""
        return self.root / "forge" / project_id

    def run(self, config_file: Path) -> Path:
        """The running supervisor's folder, found from its configuration file alone."""
        path = config_file.absolute()
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.parent.name).strip("-") or "root"
        return self.root / "run" / f"{name}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"

    @property
    def tmux_socket(self) -> str:
        """The tmux socket: ``ennio``, or with a suffix when this is not the default home.

        ``ENNIO_TMUX_SOCKET`` wins. Two homes never see each other's terminals.
        """
        named = os.environ.get("ENNIO_TMUX_SOCKET")
        if named:
            return named
        if self.root == Path("~/.ennio").expanduser().absolute():
            return "ennio"
        return f"ennio-{hashlib.sha256(str(self.root).encode()).hexdigest()[:8]}"


def private(directory: Path) -> Path:
    """Make a folder only its owner can enter; fine if it is there."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
