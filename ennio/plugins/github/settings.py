"""What a project may set under ``config`` of its GitHub forge and tracker; every problem at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ennio.config.model import Project
from ennio.model.errors import ConfigError, Problem
from ennio.plugins.github.address import PUBLIC, GitHubAddress, found_in
from ennio.plugins.web import base_address

_NAME = re.compile(r"[A-Za-z0-9._-]+")
Reader = Callable[[Any], Any]
"""Turns what is written into what is meant; raises ValueError with what would be right."""


@dataclass(frozen=True, slots=True)
class Access:
    """Which repository, and with what token; None: it is looked for."""

    address: GitHubAddress
    token: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not a text")
    return value.strip()


def yes_or_no(value: Any) -> bool:
    """A switch."""
    if not isinstance(value, bool):
        raise TypeError("is not true or false")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; a single one stands for itself."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)):
        raise TypeError("is not a list of texts")
    return tuple(text(item) for item in given)


def _name(value: Any) -> str:
    name = text(value)
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError("is no name of GitHub's: write owner and repo each by itself, such as owner: acme and repo: shop")
    return name


def _api(value: Any) -> str:
    return base_address(value, "https://HOST/api/v3")


ACCESS: Mapping[str, Reader] = {"owner": _name, "repo": _name, "token": text, "api_url": _api, "webhook_secret": text}


def read(config: Mapping[str, Any], readers: Mapping[str, Reader], source: str, project: Project) -> tuple[Access, dict[str, Any]]:
    """The access, and what else was given by name. Raises ConfigError with every problem at once."""
    known = {**ACCESS, **readers}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in config.items():
        if key not in known:
            problems.append(Problem(str(key), f"unknown key; {_nearest(str(key), tuple(known))}"))
        elif value is not None:
            _take(key, value, known[key], values, problems)
    address = _address(values, project, problems)
    if problems or address is None:
        raise ConfigError(source, problems)
    access = Access(address, values.get("token"), values.get("webhook_secret"))
    return access, {key: value for key, value in values.items() if key not in ACCESS}


def _take(key: str, value: Any, reader: Reader, values: dict[str, Any], problems: list[Problem]) -> None:
    try:
        values[key] = reader(value)
    except (ValueError, TypeError) as error:
        shown = "the value" if key in ("token", "webhook_secret", "api_url") else repr(value)
        problems.append(Problem(key, f"{shown} {error}"))


def _address(values: Mapping[str, Any], project: Project, problems: list[Problem]) -> GitHubAddress | None:
    address = found_address(project, values)
    if address is None:
        problems.append(Problem("owner", "owner and repo are missing, and the project's repo address does not tell them"))
    return address


def found_address(project: Project, values: Mapping[str, Any]) -> GitHubAddress | None:
    """As configured; what is left out follows from the repository's address. None when neither tells.

    Also of settings that nobody has checked: what is no text there is passed over.
    """
    values = {key: value for key, value in values.items() if isinstance(value, str)}
    found = found_in(project.repo)
    owner = values.get("owner") or (found and found.owner)
    name = values.get("repo") or (found and found.name)
    if not owner or not name:
        return None
    return GitHubAddress(owner, name, values.get("api_url") or (found.api if found else PUBLIC))


def _nearest(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
