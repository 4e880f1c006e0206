"""GitHub as a forge: pull requests, checks, reviews and merges as GitHub tells them."""

from __future__ import annotations

from ennio.plugins.declared import takes
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.github.settings import (
    GitHubForgeSchema,
    GitHubForgeSettings,
    of_values,
    parse,
)
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.github.token import TokenSource
from ennio.plugins.registry import PluginContext

__all__ = ["GitHubForge", "GitHubForgeSettings", "build", "parse"]


@takes(GitHubForgeSchema)
def build(context: PluginContext) -> GitHubForge:
    """The GitHub forge of the context's project. Raises ConfigError for its
    settings; asks nothing yet.
    """
    if context.project is None:
        raise TypeError("the GitHub forge belongs to a project")
    settings = of_values(context.settings, context.project)
    address = settings.access.address
    client = GitHubClient(address, TokenSource(settings.access.token, address), context.clock)
    return GitHubForge(context.project, client, context.clock, settings)
