"""What a person is told of a notice beside its words: what it is about,
and where it leads. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from ennio.config.model import Config, Project
from ennio.model.session import Priority

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "ci-failed": "checks fail",
        "changes-requested": "changes are asked for",
        "bugbot-comments": "a bot has comments",
        "merge-conflicts": "conflicts",
        "approved-and-green": "approved and green",
        "agent-stuck": "the agent is silent",
        "agent-resting": "the agent rests",
        "agent-needs-input": "the agent asks",
        "agent-exited": "the agent ended",
        "all-complete": "all is done",
        "budget-warning": "a budget runs low",
        "budget-exceeded": "a budget is used up",
        "plan-window": "a plan's window is used up",
        "fan-out": "an agent burns too much",
        "anomaly": "out of the ordinary",
        "workspace-gone": "a working copy is gone",
        "disk-low": "the disk fills",
        "place-lost": "events were not passed on",
        "config-refused": "the configuration is refused",
    }
)
_TABS: Mapping[str, str] = MappingProxyType(
    {
        "agent-needs-input": "/terminal",
        "agent-stuck": "/terminal",
        "agent-resting": "/terminal",
        "ci-failed": "/pr",
        "changes-requested": "/pr",
        "bugbot-comments": "/pr",
        "merge-conflicts": "/pr",
        "approved-and-green": "/pr",
    }
)
"""The part of a session's page that shows what it is about."""
_OF_PROJECTS = ("all-complete",)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound


def title(project_id: str, reaction: str | None, *, escalated: bool = False) -> str:
    """What a notice is about, in a few words."""
    words = _TITLES.get(reaction or "", reaction or "news")
    return f"{project_id or 'Ennio'}: {words}{', and nobody has mended it' if escalated else ''}"


def base(config: Config) -> str:
    """Where a person's browser finds this Ennio; without ``public_url``, on this machine."""
    if config.public_url:
        return config.public_url.rstrip("/")
    host = _EVERYWHERE.get(config.host, config.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{config.port}"


def page(base: str, session_id: str, project_id: str, reaction: str | None) -> str:
    """The page of the very session, or project, and of what it is about there."""
    if reaction in _OF_PROJECTS or not session_id:
        return f"{base}/p/{project_id}" if project_id else f"{base}/"
    return f"{base}/s/{session_id}{_TABS.get(reaction or '', '')}"


def routed(
    config: Config, project: Project | None, reaction: str | None, priority: Priority
) -> tuple[str, ...]:
    """The channels of a notice: the project's route, else the global one, else the defaults.

    Each once; a route is none for what is below its priority.
    """
    ours = project.notification_routing if project is not None else {}
    for routing in (ours, config.notification_routing):
        route = routing.get(reaction or "")
        if route is not None and priority.rank >= route.min_priority.rank:
            return tuple(dict.fromkeys(route.channels))
    own = project.notifiers if project is not None else None
    return tuple(dict.fromkeys(config.defaults.notifiers if own is None else own))


DIGEST = "notification_digest"
_LISTED = 20
_LINE = 200  # characters of each, for an agent may ask in a line of a hundred thousand


def title_of_many(project_id: str, count: int) -> str:
    """What a notice is about that tells of several."""
    return f"{project_id or 'Ennio'}: {count} notices"


def common(values: Iterable[str]) -> str:
    """What they all are, or nothing."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def together(messages: Sequence[str]) -> str:
    """The first lines of several, below one another, each no longer than a line to be read."""
    lines = [f"- {_first_line(one)}" for one in messages[:_LISTED]]
    beyond = len(messages) - _LISTED
    return "\n".join([*lines, f"- and {beyond} more"] if beyond > 0 else lines)


def _first_line(message: str) -> str:
    line = (message.strip().splitlines() or [""])[0]
    return line if len(line) <= _LINE else line[: _LINE - 1] + "\N{HORIZONTAL ELLIPSIS}"
