"""What a repository's address says: a path on this machine, or a forge, an owner and a name."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_LOCAL = re.compile(r"(?:/|~|\.\.?(?:/|\Z)|file:)")
_URL = re.compile(r"(?:https?|ssh|git|git\+ssh)://[^/\s]+/\S+\Z")
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:(?!/?/)\S+\Z|(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:/(?!/)\S+\Z")
_LOGIN = re.compile(r"[A-Za-z0-9+]+://(?:[^/@\s]*:[^/@\s]|(?:gh[opsur]_|github_pat_|glpat-))[^/@\s]*@")
_GITHUB = re.compile(
    r"(?:(?:https?|ssh|git|git\+ssh)://(?:[^/@\s]+@)?(?:www\.)?github\.com(?::[0-9]+)?/|(?:[A-Za-z0-9._-]+@)?github\.com:/?)"
    r"(?P<owner>[A-Za-z0-9-]+)/(?P<repo>[A-Za-z0-9._-]+?)(?:\.git)?/?\Z",
    re.IGNORECASE,
)


def is_local(address: str) -> bool:
    """Whether it is a path on the machine where git runs, or a ``file:`` URL."""
    return bool(_LOCAL.match(address))


def local_path(address: str) -> str:
    """The path of a local address, as it is written there."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address


def github(address: str) -> tuple[str, str] | None:
    """Owner and name of a repository on github.com, or None."""
    match = _GITHUB.match(address)
    return (match["owner"], match["repo"]) if match else None


def has_password(address: str) -> bool:
    """Whether it carries a password or a token: git would show it on its command lines and keep it in its files."""
    return bool(_LOGIN.match(address))


def is_address(address: str) -> bool:
    """Whether git could clone from it; a bare ``org/app`` or a word that git took for an option is none."""
    return bool(is_local(address) or _URL.match(address) or _SCP.match(address))
