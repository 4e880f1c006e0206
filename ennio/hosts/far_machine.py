"""The machine at the end of an ssh connection, as a configuration describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ennio.config.model import SshConfig
from ennio.machine.ssh.target import KnownHosts, LoginBy, SshTarget

if TYPE_CHECKING:
    from ennio.machine.ssh.machine import SshMachine

_KEEPALIVE = 15.0
"""Seconds, where the configuration says nothing."""


def far_machine(name: str, ssh: SshConfig) -> SshMachine:
    """One that connects when it is first asked for something."""
    # takes a quarter of a second, and only for other machines
    from ennio.machine.ssh.machine import SshMachine  # noqa: PLC0415

    return SshMachine(target(name, ssh))


def target(name: str, ssh: SshConfig) -> SshTarget:
    """Where it is and how one logs in there."""
    return SshTarget(
        name=name,
        host=ssh.host,
        username=ssh.username,
        port=ssh.port,
        by=LoginBy(ssh.auth.type.value),
        key=ssh.auth.path,
        passphrase=ssh.auth.passphrase,
        password=ssh.auth.password,
        connection_timeout=ssh.connection_timeout,
        keepalive=ssh.keepalive_interval or _KEEPALIVE,
        known=KnownHosts(ssh.host_key_policy.value),
        known_hosts=ssh.known_hosts_path,
    )
