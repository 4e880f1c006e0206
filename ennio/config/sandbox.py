"""What a project lets the programs of its sandboxed sessions see of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.model.isolation import NetworkAccess


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Besides the working copy, the session's own folder and what its agent says it needs.

    ``ports`` of this machine's loopback are there also where the network is not.
    """

    network: NetworkAccess = NetworkAccess.HOST
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    ports: tuple[int, ...] = ()
