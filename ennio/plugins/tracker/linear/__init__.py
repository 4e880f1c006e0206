"""Linear as a tracker: issues read for the prompt, and told what became of the work."""

from ennio.plugins.declared import takes
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker.linear.client import LinearClient
from ennio.plugins.tracker.linear.settings import LinearSchema, of_values, parse
from ennio.plugins.tracker.linear.tracker import LinearTracker


@takes(LinearSchema)
def build(context: PluginContext) -> LinearTracker:
    """The tracker of the context's project. Raises ConfigError for its
    settings; asks nobody yet.
    """
    settings = of_values(context.settings)
    return LinearTracker(
        LinearClient(settings.api_url, settings.authorization, context.clock), settings
    )


__all__ = ["LinearTracker", "build", "parse"]
