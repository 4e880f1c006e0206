"""The machines of the contract: this one, and another one where somebody else runs the programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.machine.ssh.machine import SshMachine
from tests.ssh.bench import machine_of
from tests.ssh.sshd import Account, sshd


@dataclass(frozen=True)
class MachineBench:
    """A machine, and whose programs run there."""

    machine: Machine
    account: Account | None = None

    @property
    def as_user(self) -> Mapping[str, Any]:
        """What starts a program of this user."""
        return self.account.as_user if self.account else {}

    def folder(self, usual: Path) -> Path:
        """A folder of this user, for one test."""
        if self.account is None:
            return usual
        return self.account.folder(usual.name)

    def own(self, path: Path) -> None:
        """Give this user what the test has made."""
        if self.account is not None:
            self.account.own(path)


@contextmanager
def over_ssh() -> Iterator[MachineBench]:
    """Another user with another home, whose settings print on both outputs."""
    with sshd() as server:
        account = server.account(bashrc="echo Good day\necho and more >&2\n")
        account.home.chmod(0o711)
        machine: SshMachine = machine_of(server, account)
        try:
            yield MachineBench(machine, account)
        finally:
            machine.close()


@contextmanager
def own_over_ssh() -> Iterator[SshMachine]:
    """The user who runs the tests, with another home, behind an sshd."""
    with sshd(own=True) as server:
        machine = machine_of(server, server.account())
        try:
            yield machine
        finally:
            machine.close()


MACHINES: dict[str, Callable[[], AbstractContextManager[MachineBench]]] = {
    "local": lambda: nullcontext(MachineBench(LocalMachine())),
    "ssh": over_ssh,
}
"""How each is reached; what is asked of a machine is asked of all of these."""
