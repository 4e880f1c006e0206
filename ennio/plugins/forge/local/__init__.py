"""A forge over plain git: pull requests, checks, reviews and merges for people without one."""

from ennio.plugins.declared import takes
from ennio.plugins.forge.local.forge import LocalForge
from ennio.plugins.forge.local.guard import hub_of
from ennio.plugins.forge.local.settings import (
    CheckCommand,
    LocalForgeSchema,
    LocalForgeSettings,
    parse,
)
from ennio.plugins.registry import PluginContext

__all__ = ["CheckCommand", "LocalForge", "LocalForgeSettings", "build", "parse"]


@takes(LocalForgeSchema)
def build(context: PluginContext) -> LocalForge:
    """The local forge of the context's project. Raises ConfigError for
    its settings or repository.
    """
    if context.project is None or context.store is None:
        raise TypeError("the local forge belongs to a project and needs a store")
    project, home = context.project, context.home
    return LocalForge(
        project,
        context.store,
        home.forge(project.id),
        context.clock,
        context.settings,
        hub_of(project, home),
    )
