"""What a person's ``~/.ssh/config`` says of a host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.machine import places
from ennio.machine.ssh.errors import LoginRefused
from ennio.machine.ssh.target import PORT

_JUMP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]]+\]|[^:\s]+)(?::(?P<port>\d+))?\Z")


@dataclass(frozen=True, slots=True)
class SshAlias:
    """A host as it is really reached; empty and None: nothing is said of that."""

    address: str
    port: int | None = None
    user: str = ""
    identities: tuple[Path, ...] = ()
    host_key_alias: str = ""
    known_hosts: Path | None = None
    hashes_hosts: bool = False
    jumps: tuple[SshJump, ...] = ()


@dataclass(frozen=True, slots=True)
class SshJump:
    """A machine on the way."""

    host: str
    user: str = ""
    port: int | None = None


def alias(host: str, file: Path | None) -> SshAlias:
    """What the file says of a host; nothing where there is none. Raises LoginRefused."""
    import paramiko  # noqa: PLC0415 - takes a quarter of a second, and only for other machines

    place = file or places.person() / ".ssh" / "config"
    try:
        found = paramiko.SSHConfig.from_text(place.read_text(errors="replace")).lookup(host)
    except (FileNotFoundError, NotADirectoryError):
        return SshAlias(host)
    except (OSError, ValueError, paramiko.SSHException) as error:
        raise LoginRefused(f"{place} cannot be read: {error}") from error
    return _read(host, found)


def _read(host: str, found: Mapping[str, Any]) -> SshAlias:
    said = str(found.get("proxyjump") or "none")
    if (found.get("proxycommand") or "none").lower() != "none" and said == "none":
        raise LoginRefused(
            f"the ssh configuration reaches {host} by ProxyCommand, which is not run here: "
            "write it as ProxyJump"
        )
    files = str(found.get("userknownhostsfile") or "").split()
    port = str(found.get("port") or "")
    return SshAlias(
        address=str(found.get("hostname") or host),
        port=int(port) if port.isdigit() else None,
        user=str(found.get("user") or ""),
        identities=tuple(Path(name).expanduser() for name in found.get("identityfile") or ()),
        host_key_alias=str(found.get("hostkeyalias") or ""),
        known_hosts=Path(files[0]).expanduser() if files and files[0] != "none" else None,
        hashes_hosts=str(found.get("hashknownhosts") or "").lower() == "yes",
        jumps=() if said.lower() == "none" else tuple(map(_jump, said.split(","))),
    )


def _jump(text: str) -> SshJump:
    match = _JUMP.match(text.strip().removeprefix("ssh://"))
    if match is None:
        raise LoginRefused(f"ProxyJump: {text} names no machine (user@host:port)")
    port = match["port"]
    return SshJump(match["host"].strip("[]"), match["user"] or "", int(port) if port else None)


def port_of(given: int, known: SshAlias) -> int:
    """The port: one that Ennio's own configuration names wins over the alias's."""
    return given if given != PORT or known.port is None else known.port
