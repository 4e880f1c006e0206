"""Whether an ennio-node can be had on another machine: what it runs with, and the way to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ennio.cli.doctor.finding import Finding, broken, fine
from ennio.config.model import NodeConfig, SshConfig
from ennio.machine.interface import Command
from ennio.model.errors import Refused
from ennio.node.over_there import LOOK, Found

if TYPE_CHECKING:
    from ennio.machine.ssh.machine import SshMachine

_ASK = 15.0
_REACH = 5.0


def node(machine: SshMachine, ssh: SshConfig, way: str) -> Iterator[Finding]:
    """``way`` is the command that leads there, for whoever mends it."""
    settings = ssh.node_config or NodeConfig()
    if settings.ennio_binary_path is None:
        yield _python(machine, way)
    yield _forwarding(machine, settings.port, way)


def _python(machine: SshMachine, way: str) -> Finding:
    told = machine.run(Command(("sh", "-c", LOOK, "sh", str(machine.home), ""), timeout=_ASK))
    found = Found.read(told.stdout.decode(errors="replace"))
    try:
        path, one = found.python(machine.name)
    except Refused as error:
        asks = way.replace("ssh", "ssh -t", 1)  # for a password
        return broken(f"host {machine.name}: {error}", f"{asks} sudo apt-get install python3")
    return fine(f"host {machine.name}: {path} ({one.python}) runs an ennio-node")


def _forwarding(machine: SshMachine, port: int, way: str) -> Finding:
    """Whether its sshd leads to the port, be somebody there or not."""
    try:
        machine.connect(port, _REACH).close()
    except PermissionError as error:
        return broken(
            f"host {machine.name}: an ennio-node cannot be reached there: {error.strerror}",
            f"AllowTcpForwarding local  in its sshd_config  (look: {way} grep -ri forwarding "
            "/etc/ssh/sshd_config /etc/ssh/sshd_config.d)",
        )
    except OSError:
        pass  # nobody listens there yet
    return fine(f"host {machine.name}: its sshd leads to port {port}, as an ennio-node needs")
