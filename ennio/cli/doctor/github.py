"""GitHub: whether a project's settings are understood, and whether its token
opens what the project needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.model import Project
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError, EnnioError, Unreachable
from ennio.plugins.forge.github import settings as forge
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.github.settings import Access
from ennio.plugins.github.token import TokenSource
from ennio.plugins.tracker import github as tracker
from ennio.plugins.web import as_published


def service(place: Project, slot: str) -> Finding | None:
    """One small question in the name of the project's token; None where GitHub is not
    used or there is no token.
    """
    choice = place.forge if slot == "scm" else place.tracker
    if choice is None or choice.plugin != "github":
        return None
    try:
        access = _access(place, slot, choice.config)
    except ConfigError as error:
        problems = "; ".join(map(str, error.problems))
        return broken(
            f"project {place.id}: {slot}_config.config: {problems}",
            "docs/github.md has every setting",
        )
    client = GitHubClient(access.address, TokenSource(access.token, access.address), SystemClock())
    return _asked(place, slot, client) if client.is_authorized else None


def _access(place: Project, slot: str, config: Mapping[str, Any]) -> Access:
    return (
        forge.parse(config, place).access if slot == "scm" else tracker.parse(config, place).access
    )


def _asked(place: Project, slot: str, client: GitHubClient) -> Finding:
    address = client.address
    try:
        with as_published("GitHub"):
            repository = client.get(address.at())
            may, name = (
                (repository.get("permissions") or {}).get("push", True),
                repository["full_name"],
            )
    except Unreachable as error:
        return warning(
            f"project {place.id}: {address.host} cannot be reached: {error}",
            f"curl -sS {address.api}",
        )
    except EnnioError as error:
        return broken(
            f"project {place.id}: its {slot}: {error}",
            f"gh auth login --hostname {address.host}  (or set token)",
        )
    if slot == "scm" and not may:
        what = (
            f"project {place.id}: the token may read {address} but not push: pull requests "
            "cannot be opened or merged with it"
        )
        return warning(what, "give the token write access to contents and pull requests")
    return fine(f"project {place.id}: {address.host} shows {name} ({slot})")
