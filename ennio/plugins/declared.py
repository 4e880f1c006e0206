"""What a plugin lets itself be told: declared at its factory, read before the factory is called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from ennio.config.plugin_settings import Declaration, read
from ennio.plugins.entry_points import entry_points
from ennio.plugins.registry import PluginContext
from ennio.plugins.shipped import SHIPPED

P = TypeVar("P")
OF_AGENTS = "agent_config.passthrough"
OF_NOTIFIERS = "config"


def takes(
    declared: Declaration, path: str = ""
) -> Callable[[Callable[[PluginContext], P]], Callable[[PluginContext], P]]:
    """Declare the settings of the plugin that a factory makes; its ``context.settings``
    are what was read by them.

    With ``path`` the problems' paths begin: ``OF_AGENTS`` for an agent,
    ``OF_NOTIFIERS`` for a notifier, nothing for a tracker or a forge. The factory
    raises ConfigError with every problem at once.
    """

    def declare(factory: Callable[[PluginContext], P]) -> Callable[[PluginContext], P]:
        @functools.wraps(factory)
        def made(context: PluginContext) -> P:
            source = "configuration" if context.project is None else f"project {context.project.id}"
            return factory(
                replace(context, settings=read(declared, context.settings, source, path))
            )

        made.declared_settings = declared  # type: ignore[attr-defined] # a function takes any attribute
        return made

    return declare


def declaration(factory: Callable[..., Any]) -> Declaration | None:
    """What a factory takes; None where it says nothing and reads its settings by itself."""
    return cast("Declaration | None", getattr(factory, "declared_settings", None))


def all_shipped() -> dict[tuple[str, str], Declaration]:
    """What every shipped plugin takes that can be used in this version, by slot and name."""
    found = {(slot, name): shipped(slot, name) for slot, names in SHIPPED.items() for name in names}
    return {key: declared for key, declared in found.items() if declared is not None}


@functools.cache
def shipped(slot: str, name: str) -> Declaration | None:
    """What a plugin that came with Ennio takes; looked up once for all projects.

    One of another distribution is not even imported: which it is, a file says that
    nobody may have trusted yet.
    """
    points = entry_points(slot, name)
    return declaration(points[0].load()) if is_ours(slot, name) else None


def is_ours(slot: str, name: str) -> bool:
    """Whether the plugin of this name is the one that came with Ennio: a name that is kept for
    later may be another's by now.
    """
    points = entry_points(slot, name)
    return (
        name in SHIPPED.get(slot, ())
        and bool(points)
        and all(point.module.startswith("ennio.") for point in points)
    )
