"""Where a repository lives: its owner and name, and the addresses of the API that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from ennio.model.errors import Invalid
from ennio.model.repository_address import on_forge

PUBLIC = "https://api.github.com"
Place = tuple[str | int, ...]
"""Where something is below the base of an API, segment by segment and as it is
called; ``url`` quotes them.
"""
_TENANT = ".ghe.com"
"""Below it GitHub itself runs one server for each enterprise, with its API at
``api.`` before its name.
"""


@dataclass(frozen=True, slots=True)
class GitHubAddress:
    """One repository on one GitHub; ``api`` is the base of its REST API,
    without a slash at the end.
    """

    owner: str
    name: str
    api: str = PUBLIC

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    def at(self, *segments: str | int) -> Place:
        """A place below the repository in the REST API."""
        return ("repos", self.owner, self.name, *segments)

    @property
    def graphql(self) -> str:
        """The GraphQL endpoint: beside ``v3`` on an Enterprise server, below the base elsewhere."""
        return f"{self.api.removesuffix('/v3')}/graphql"

    @property
    def host(self) -> str:
        """The name people and ``gh`` know the server by."""
        return host_of(self.api)


def url(base: str, place: Place, query: Mapping[str, str | int] | None = None) -> str:
    """The address of a place: the one point at which names become parts of an address.

    Raises Invalid for a segment that no server would take for one (``..`` and the like).

    >>> url("https://api.example", ("git", "refs", "heads", "fix#42"))
    'https://api.example/git/refs/heads/fix%2342'
    """
    if any(segment in ("", ".", "..") for segment in place):
        raise Invalid(
            f"{'/'.join(map(str, place))!r} is no place on {base}: a part of it is empty or made "
            "of dots"
        )
    path = "".join(f"/{quote(str(segment), safe='')}" for segment in place)
    return f"{base}{path}{'?' + urlencode(query) if query else ''}"


def host_of(api: str) -> str:
    """The server behind an API base: ``github.com`` for the public one."""
    try:
        host = urlsplit(api).hostname or api
    except ValueError:
        host = api  # whoever checks it says so
    return host.removeprefix("api.") if host == "api.github.com" or host.endswith(_TENANT) else host


def found_in(remote: str) -> GitHubAddress | None:
    """What the address of a git remote says, on github.com or an Enterprise
    server; None for anything else.
    """
    found = on_forge(remote)
    if found is None:
        return None
    host, owner, name = found
    hosted = host == "github.com" or host.endswith(_TENANT)
    return GitHubAddress(owner, name, f"https://api.{host}" if hosted else f"https://{host}/api/v3")
