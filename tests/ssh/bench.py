"""Machines that are reached through the sshd of the tests."""

from __future__ import annotations

from typing import Any

from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.pool import PATIENCE, ShellPool
from ennio.machine.ssh.target import LoginBy, SshTarget
from tests.ssh.sshd import HOST, Account, Sshd


def target_of(server: Sshd, account: Account, **more: Any) -> SshTarget:
    """How an account is reached; the server is known by its key."""
    known = server.folder / f"known-{account.name}"
    if not known.exists():
        known.write_text(server.known_host)
    settings: dict[str, Any] = {
        "name": "there",
        "host": HOST,
        "username": account.name,
        "port": server.port,
        "by": LoginBy.KEY,
        "key": account.key,
        "known_hosts": known,
        "client_config": server.folder / "no-such-config",
        "connection_timeout": 10.0,
    }
    return SshTarget(**(settings | more))


def machine_of(
    server: Sshd, account: Account, patience: float = PATIENCE, **more: Any
) -> SshMachine:
    """The machine that an account is logged in to."""
    target = target_of(server, account, **more)
    return SshMachine(target, ShellPool(target, patience=patience))
