"""What a repository's address says: a path on this machine, or a host and a path
there, with owner and name.

One repository has many spellings (``git@host:o/r.git``, ``https://host/o/r``,
``ssh://git@host/o/r``); they are told apart by host and path, whoever logs in and by whatever
protocol. Nothing is looked at here.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_LOCAL = re.compile(r"(?:/|~|\.\.?(?:/|\Z)|file:)")
_URL = re.compile(r"(?:https?|ssh|git|git\+ssh)://[^/\s]+/\S+\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]+|\[[^\]]+\]):(?P<path>.*)\Z", re.DOTALL)
_WRITTEN_SCP = re.compile(
    r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:(?!/?/)\S+\Z|(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:/(?!/)\S+\Z"
)
_LOGIN = re.compile(
    r"[A-Za-z0-9+]+://(?:[^/@\s]*:[^/@\s]|(?:gh[opsur]_|github_pat_|glpat-))[^/@\s]*@"
)
_ON_FORGE = re.compile(
    r"(?:(?:https?|ssh|git|git\+ssh)://(?:[^/@\s]+@)?(?P<host>[A-Za-z0-9._-]+)(?::[0-9]+)?/|(?:[A-Za-z0-9._-]+@)?(?P<scp>[A-Za-z0-9._-]+):/?)"
    r"(?P<owner>[A-Za-z0-9_-]+)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?\Z",
    re.IGNORECASE,
)
_PORTS = {"ssh": 22, "git+ssh": 22, "https": 443, "http": 80, "git": 9418}


def is_local(address: str) -> bool:
    """Whether it is a path on the machine where git runs, or a ``file:`` URL."""
    return bool(_LOCAL.match(address))


def local_path(address: str) -> str:
    """The path of a local address, as it is written there."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address


def has_password(address: str) -> bool:
    """Whether it carries a password or a token: git would show it on its command lines
    and keep it in its files.
    """
    return bool(_LOGIN.match(address))


def is_address(address: str) -> bool:
    """Whether git could clone from it; a bare ``org/app`` or a word that git
    took for an option is none.
    """
    return bool(is_local(address) or _URL.match(address) or _WRITTEN_SCP.match(address))


def on_forge(address: str) -> tuple[str, str, str] | None:
    """Host, owner and name of a repository on a forge, the host in small letters and without
    ``www.``; None for anything else.
    """
    match = _ON_FORGE.match(address)
    if match is None:
        return None
    return (
        (match["host"] or match["scp"]).lower().removeprefix("www."),
        match["owner"],
        match["name"],
    )


def github(address: str) -> tuple[str, str] | None:
    """Owner and name of a repository on github.com, or None."""
    found = on_forge(address)
    return found[1:] if found is not None and found[0] == "github.com" else None


def is_scp(address: str) -> bool:
    """Whether it has the short form ``host:path``; so may the path of a folder,
    which only a look can tell.
    """
    return "://" not in address and _SCP.match(address) is not None


def place(address: str) -> tuple[str, str]:
    """Host and path of an address on another machine, the same for all its spellings."""
    scp = _SCP.match(address) if is_scp(address) else None
    if scp is not None:
        return scp["host"].lower(), _trimmed(scp["path"])
    parts = urlsplit(address)
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{(parts.hostname or '').lower()}{port}", _trimmed(parts.path)


def _trimmed(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")
