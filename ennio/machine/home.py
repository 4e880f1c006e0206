"""Where Ennio keeps its files: everything under ``ENNIO_HOME`` (default ``~/.ennio``).

    worktrees/<project>/<session>   clones/<project>/<session>   the workspaces
    sessions/<session>/             launch file, prompt, transcript, hook output (0700); of one in
                                    a sandbox only agent/ and doors/ in it are there for its agent
    notify/                         pipes by which hooks notify supervisors elsewhere (0700)
    forge/<project>/                check-outs and logs of the local forge's checks
    trust/                          what was trusted of each configuration file (0700)
    databases/<instance>.db         the database, where `ennio init` wrote the file
    run/<instance>/                 lock, pid, address and token of one supervisor (0700)

An *instance* is one supervisor on one database: its key is the readable name of the folder the
configuration lies in plus a hash of the configuration file's path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ennio.machine.closed_place import way_to
from ennio.machine.places import standing
from ennio.model.errors import Refused

INSTANCE = "instance"
"""Under this name in the store, and in a file of the run folder beside it: the name of the run
folder of the file that it was first run with.
"""
_CLOSED = (
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
)
"""Why a folder cannot be made that no time will mend; a full disk is not among them."""


_LONGEST_NAME = (
    24  # of a folder in the name of a socket: the whole path of a socket has little room
)


@dataclass(frozen=True, slots=True)
class Home:
    """The folder tree of one ``ENNIO_HOME``; paths only, nothing is made here."""

    root: Path

    @classmethod
    def of_environment(cls) -> Home:
        """The home named by ``ENNIO_HOME``, else ``~/.ennio``. Raises Refused
        where it cannot be known.

        By its real path: agents know their folder by that, and what is settled for it under
        another name does not hold.
        """
        named = os.environ.get("ENNIO_HOME") or "~/.ennio"
        path = os.path.expanduser(named)
        if path.startswith("~"):
            whose = (
                f"{named} names no home"
                if named != "~/.ennio"
                else f"HOME is not set, and nobody knows a home of user {os.getuid()}"
            )
            raise Refused(f"{whose}: set HOME, or set ENNIO_HOME to a folder of your own")
        if "\0" in path:
            raise Refused("ENNIO_HOME holds a NUL character: set it to a folder of your own")
        return cls(Path(os.path.realpath(path)))

    def workspace(self, kind: str, project_id: str, session_id: str) -> Path:
        """The one place a session's workspace can be: ``<kind>s/<project>/<session>``."""
        return self.root / f"{kind}s" / project_id / session_id

    @property
    def workspaces(self) -> tuple[Path, Path]:
        """The folders below which every session's workspace lies."""
        return self.root / "worktrees", self.root / "clones"

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

    def database(self, config_file: Path) -> Path:
        """Where the database of a new configuration file belongs: outside of its repository."""
        return self.root / "databases" / f"{self.run(config_file).name}.db"

    def tmux_socket_of(self, instance: str) -> str:
        """The tmux socket of one instance (the name of a run folder);
        ``ENNIO_TMUX_SOCKET`` wins.
        """
        if os.environ.get("ENNIO_TMUX_SOCKET"):
            return self.tmux_socket
        name, _, key = instance.rpartition("-")
        return f"{self.tmux_socket}-{name[:_LONGEST_NAME]}-{key}"

    @property
    def tmux_socket(self) -> str:
        """The tmux socket that all instances of a home shared in older versions: ``ennio``, or with
        a suffix in another home.

        ``ENNIO_TMUX_SOCKET`` wins. Two homes never see each other's terminals.
        """
        named = os.environ.get("ENNIO_TMUX_SOCKET")
        if named:
            return named
        if self.root == Path(os.path.realpath(os.path.expanduser("~/.ennio"))):
            return "ennio"
        return f"ennio-{hashlib.sha256(str(self.root).encode()).hexdigest()[:8]}"


def private(directory: Path) -> Path:
    """Make a folder only its owner can enter; fine if it is there. Raises Refused where none
    can be made, whoever waits.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        raise Refused(
            f"the folder {directory} cannot be made ({(error.strerror or str(error)).lower()} at "
            f"{standing(directory)}): {way_to(directory)}set ENNIO_HOME to a folder that you can "
            "write to"
        ) from error
    return directory
