"""Whether plugins understand what a configuration says to them: each is made once, as at a
start, and asked for nothing.

So ``config check``, ``doctor`` and ``start`` say the same words. Of a file nobody has
trusted only the plugins that came with Ennio are made: what another distribution does when
it is made is its own affair.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from ennio.config import ownership, yaml_source
from ennio.config.model import Config, NotifierConfig, Project, SshStrategy
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError, EnnioError, Problem
from ennio.model.local_forge import ForgeStore
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.declared import is_ours
from ennio.plugins.registry import Registry, installed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _EmptyStore:
    """Enough of a store for a forge to be made; nobody reads in it."""

    revision: int = 0


@dataclass(frozen=True, slots=True)
class _Use:
    """A place where a plugin is used; ``make`` raises ConfigError with paths below ``base``,
    or whole ones of its own.
    """

    slot: str
    plugin: str
    base: str
    make: Callable[[], object]


def insist(config: Config, home: Home, content: bytes | None = None) -> None:
    """Raise ConfigError with everything that plugins do not understand; ``content`` is what the
    file holds, where it was read before.
    """
    found = problems(config, home, content=content)
    if found:
        raise ConfigError(str(config.source), found)


def problems(
    config: Config, home: Home, *, content: bytes | None = None, trusted: bool = True
) -> list[Problem]:
    """Everything that plugins do not understand, by line; of an untrusted file only
    what shipped ones do not.
    """
    registry = Registry(home, SystemClock(), cast("ForgeStore", _EmptyStore()), config.directory)
    found = [
        problem
        for use in _uses(config, registry, home)
        if _may(use, trusted=trusted)
        for problem in _tried(use)
    ]
    return (
        sorted(with_lines(found, config.source, content), key=lambda problem: problem.line or 0)
        if found
        else []
    )


def unseen(config: Config, home: Home) -> list[str]:
    """The plugins of other distributions that are not made before the file is trusted."""
    registry = Registry(home, SystemClock(), cast("ForgeStore", _EmptyStore()), config.directory)
    return sorted(
        {
            f"{use.slot} {use.plugin}"
            for use in _uses(config, registry, home)
            if not _may(use, trusted=False)
        }
    )


def _may(use: _Use, *, trusted: bool) -> bool:
    """Whether it can be made now; a plugin that is not there is told elsewhere."""
    return use.plugin in installed(use.slot) and (trusted or is_ours(use.slot, use.plugin))


def _uses(config: Config, registry: Registry, home: Home) -> Iterator[_Use]:
    for index, project in enumerate(config.projects):
        where = f"projects[{index}]"
        yield _Use("agent", project.agent, where, _command(registry, project, home))
        if project.tracker is not None:
            yield _Use(
                "tracker",
                project.tracker.plugin,
                f"{where}.tracker_config.config",
                _call(registry.tracker, project),
            )
        if project.forge is not None:
            yield _Use(
                "scm",
                project.forge.plugin,
                f"{where}.scm_config.config",
                _call(registry.forge, project),
            )
    for index, channel in enumerate(config.notifiers):
        yield _Use(
            "notifier",
            channel.plugin,
            f"notifiers[{index}]",
            _call(partial(_channel, registry), channel),
        )


def _channel(registry: Registry, channel: NotifierConfig) -> object:
    return registry.notifier(channel.plugin, channel.name, channel.config)


def _call(function: Callable[[T], object], argument: T) -> Callable[[], object]:
    return lambda: function(argument)


def _command(registry: Registry, project: Project, home: Home) -> Callable[[], object]:
    """The agent, and of a shipped one its command: some flags are only judged
    when they are put together.
    """
    conversation = str(uuid.UUID(int=0))
    if project.ssh is not None and project.ssh.strategy is SshStrategy.NODE:
        registry = Registry(home, SystemClock())  # its node knows no file that lies here

    def make() -> None:
        agent = registry.agent(project.agent, project.id, project.agent_config, project.env)
        if is_ours("agent", project.agent):
            context = AgentContext(
                "check",
                project.id,
                project.path,
                home.session("check"),
                conversation,
                project.agent_config,
                machine=registry.machine,
            )
            agent.launch(context, "check")

    return make


def _tried(use: _Use) -> Iterator[Problem]:
    try:
        use.make()
    except ConfigError as error:
        for problem in error.problems:
            yield Problem(_path(use, problem.path), _words(use, error, problem))
    except EnnioError:
        return  # time or this machine stands in the way, not the file


def _path(use: _Use, told: str) -> str:
    """A problem's whole path: plugins name theirs from the project on, or
    from their own settings on.
    """
    project = use.base.partition(".")[0]
    if told.startswith("projects."):
        return f"{project}.{told.split('.', 2)[2]}"
    if told.startswith(("agent_config", "config.")) or use.slot != "agent":
        return ".".join(filter(None, (use.base, told)))
    return f"{use.base}.agent_config.passthrough"


def _words(use: _Use, error: ConfigError, problem: Problem) -> str:
    """A story of its own file says where in that it is wrong."""
    elsewhere = use.slot == "agent" and not problem.path.startswith("agent_config")
    return (
        f"{error.source}: {problem.path + ': ' if problem.path else ''}{problem.message}"
        if elsewhere
        else problem.message
    )


def with_lines(
    found: Sequence[Problem], source: Path, content: bytes | None = None
) -> Iterator[Problem]:
    """The problems with the lines they are about: those of the nearest thing
    that stands in the file.
    """
    text = yaml_source.read(
        ownership.read(source, yaml_source.MOST_BYTES) if content is None else content
    )
    lines = {yaml_source.shown(where): place.line for where, place in text.places.items()}
    for problem in found:
        path = problem.path
        while path and path not in lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield Problem(problem.path, problem.message, lines.get(path))
