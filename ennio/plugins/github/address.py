"""Where a repository lives: its owner and name, and the addresses of the API that knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PUBLIC = "https://api.github.com"
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git|git\+ssh)://(?:[^/@\s]+@)?(?P<host>[^/:\s]+)(?::[0-9]+)?/|(?:[A-Za-z0-9._-]+@)?(?P<scp>[A-Za-z0-9._-]+):/?)"
    r"(?P<owner>[A-Za-z0-9_-]+)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?\Z"
)
_HOST = re.compile(r"https?://(?P<host>[^/:]+)(?::[0-9]+)?(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class Address:
    """One repository on one GitHub; ``api`` is the base of its REST API, without a slash at the end."""

    owner: str
    name: str
    api: str = PUBLIC

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where the REST API keeps it."""
        return f"/repos/{self.owner}/{self.name}"

    @property
    def graphql(self) -> str:
        """The GraphQL endpoint: beside ``v3`` on an Enterprise server, below the base elsewhere."""
        return f"{self.api.removesuffix('/v3')}/graphql"

    @property
    def host(self) -> str:
        """The name people and ``gh`` know the server by."""
        return host_of(self.api)


def host_of(api: str) -> str:
    """The server behind an API base: ``github.com`` for the public one."""
    match = _HOST.match(api)
    host = match["host"] if match else api
    return "github.com" if host == "api.github.com" else host


def found_in(remote: str) -> Address | None:
    """What the address of a git remote says, on github.com or an Enterprise server; None for anything else."""
    match = _REMOTE.match(remote)
    if match is None:
        return None
    host = (match["host"] or match["scp"]).lower().removeprefix("www.")
    return Address(match["owner"], match["name"], PUBLIC if host == "github.com" else f"https://{host}/api/v3")
