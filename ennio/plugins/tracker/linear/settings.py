"""What a project may set under ``tracker_config.config`` of Linear; every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ennio.model.errors import ConfigError, Problem
from ennio.plugins.tracker.interface import MilestoneKind
from ennio.plugins.tracker.wishes import milestone, milestones, switch
from ennio.plugins.web import base_address

PUBLIC = "https://api.linear.app/graphql"
_SECRET = ("api_key", "token")


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How a project uses Linear.

    ``authorization`` is the header's value: an API key as it is, an OAuth token as a bearer.
    ``states`` names the workflow state an issue is put into at a milestone; ``link`` attaches the pull request.
    """

    authorization: str = field(repr=False)
    api_url: str = PUBLIC
    team: str | None = None
    states: Mapping[MilestoneKind, str] = field(default_factory=dict)
    comment: tuple[MilestoneKind, ...] = ()
    link: bool = True
    close_on_merge: bool = False


def parse(config: Mapping[str, Any]) -> LinearSettings:
    """Read the settings. Raises ConfigError with every problem at once, none of them showing a secret."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in config.items():
        if key not in _READERS:
            problems.append(Problem(str(key), f"unknown key; {_nearest(str(key))}"))
        elif value is not None:
            _take(key, value, values, problems)
    key, token = values.pop("api_key", None), values.pop("token", None)
    if not key and not token and not any(problem.path in _SECRET for problem in problems):
        problems.append(Problem("api_key", "is missing; write api_key: ${LINEAR_API_KEY} (Linear: Settings, Security & access, API keys)"))
    if problems:
        raise ConfigError("tracker_config.config", problems)
    return LinearSettings(authorization=key or f"Bearer {token}", **values)


def _take(key: str, value: Any, values: dict[str, Any], problems: list[Problem]) -> None:
    try:
        values[key] = _READERS[key](value)
    except ValueError as error:
        problems.append(Problem(key, "is not a text" if key in _SECRET else str(error)))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a text")
    return value.strip()


def _address(value: Any) -> str:
    return base_address(value, PUBLIC)


def _states(value: Any) -> Mapping[MilestoneKind, str]:
    if not isinstance(value, Mapping):
        raise ValueError("is no list of milestones with the state each leads to, such as spawned: In Progress")  # noqa: TRY004
    return {milestone(key): _text(name) for key, name in value.items() if name is not None}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "api_key": _text,
    "token": _text,
    "api_url": _address,
    "team": lambda value: _text(value).upper(),
    "states": _states,
    "comment": milestones,
    "link": switch,
    "close_on_merge": switch,
}


def _nearest(key: str) -> str:
    near = get_close_matches(key, _READERS, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(_READERS)}"
