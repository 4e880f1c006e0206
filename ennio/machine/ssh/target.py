"""Where a machine is, and how one logs in there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

PORT = 22


class KnownHosts(StrEnum):
    """Which host keys are believed."""

    STRICT = "strict"
    ACCEPT_NEW = "accept_new"
    ACCEPT_ALL = "accept_all"


class LoginBy(StrEnum):
    """What proves who logs in."""

    KEY = "key"
    AGENT = "agent"
    PASSWORD = "password"  # noqa: S105 - the name of a method, not a password


@dataclass(frozen=True, slots=True)
class SshTarget:
    """A machine by its address, or by its alias in the person's ``~/.ssh/config``.

    ``name`` is what Ennio calls it. ``connection_timeout`` (seconds) limits connecting and
    nothing else; ``keepalive``: seconds between two words that say that the connection is
    still wanted.
    """

    name: str
    host: str
    username: str
    port: int = PORT
    by: LoginBy = LoginBy.AGENT
    key: Path | None = None
    passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    connection_timeout: float = 30.0
    keepalive: float = 15.0
    known: KnownHosts = KnownHosts.STRICT
    known_hosts: Path | None = None
    client_config: Path | None = None
