"""What of this machine is there for the programs of one session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.model.isolation import NetworkAccess

INSIDE = Path("/run/ennio")
"""Where the doors of a sandbox are, seen from within."""
HOOK, PUSH, FETCH = "hook.sock", "push.sock", "fetch.sock"
"""The doors that every sandbox may have; one to a port of this machine is named by it."""


def door(port: int) -> str:
    """The name of the door to a port of this machine's loopback."""
    return f"{port}.sock"


@dataclass(frozen=True, slots=True)
class Isolation:
    """All by real paths. ``workspace`` and ``writable`` can be written to, ``readable`` be read;
    of ``home`` nothing else is there, nor of any other folder but the system's own. ``links`` are
    made anew, each with what it leads to: programs find what is beside them by their real place.

    ``folder`` is the session's own and is not to be seen; ``scratch`` in it is there only for
    commands of ours. ``ports`` of this machine's loopback are reached through a door each.
    ``known`` is what we ourselves may read on its behalf besides.
    """

    workspace: Path
    folder: Path
    home: Path
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    network: NetworkAccess = NetworkAccess.HOST
    ports: tuple[int, ...] = ()
    links: tuple[tuple[Path, Path], ...] = ()
    known: tuple[Path, ...] = ()

    @property
    def scratch(self) -> Path:
        """For what our own commands need for a moment."""
        return self.folder / "scratch"

    @property
    def doors(self) -> Path:
        """The sockets that lead out."""
        return self.folder / "doors"

    @property
    def filter(self) -> Path:
        """The file of what the kernel refuses to do for it."""
        return self.folder / "seccomp.bpf"

    @property
    def roots(self) -> tuple[Path, ...]:
        """Wherever its programs may have put something."""
        return (self.workspace, *self.writable, self.scratch)
