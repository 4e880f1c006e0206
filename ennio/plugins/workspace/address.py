"""What a repository's address means: a place on this machine, or a host and a path.

One repository has many spellings (``git@host:o/r.git``, ``https://host/o/r``, ``ssh://git@host/o/r``);
those of one host and path are the same repository here, whoever logs in and by whatever protocol.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]+|\[[^\]]+\]):(?P<path>.*)\Z", re.DOTALL)
_PORTS = {"ssh": 22, "git+ssh": 22, "https": 443, "http": 80, "git": 9418}


def local_path(address: str, beside: Path) -> Path | None:
    """The directory an address names on this machine, or None for one on another host.

    A relative one counts from ``beside``, as git does for an address in a configuration there.
    """
    if address.startswith("file://"):
        return Path(unquote(urlsplit(address).path))
    if "://" in address or "::" in address:
        return None
    path = beside / Path(address).expanduser()
    return path if _SCP.match(address) is None or path.exists() else None


def is_same(one: str, other: str, beside: Path) -> bool:
    """Whether two addresses name one repository; ``beside`` is where relative paths count from."""
    return _place(one, beside) == _place(other, beside)


def _place(address: str, beside: Path) -> tuple[str, str]:
    directory = local_path(address, beside)
    if directory is not None:
        resolved = directory.resolve()
        return "", str(resolved.parent if resolved.name == ".git" else resolved)
    scp = _SCP.match(address) if "://" not in address else None
    if scp is not None:
        return scp["host"].lower(), _trimmed(scp["path"])
    parts = urlsplit(address)
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{(parts.hostname or '').lower()}{port}", _trimmed(parts.path)


def _trimmed(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")
