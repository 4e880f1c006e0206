"""The machine at the end of an ssh connection, as a configuration describes it."""

from __future__ import annotations

from ennio.config.model import SshConfig
from ennio.hosts.elsewhere import FarMachine
from ennio.model.errors import Unreachable


def far_machine(name: str, ssh: SshConfig) -> FarMachine:
    """One that connects when it is first asked for something. Raises Unreachable."""
    raise Unreachable(f"{name} ({ssh.strategy}) cannot be reached by this version yet")
