"""Linear: whether a project's settings are understood, and whether its key opens anything."""

from __future__ import annotations

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.model import Project
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError, EnnioError, Unreachable
from ennio.plugins.tracker.linear.client import LinearClient
from ennio.plugins.tracker.linear.queries import WHO
from ennio.plugins.tracker.linear.settings import parse
from ennio.plugins.web import as_published

_KEYS = "Linear: Settings, Security & access, API keys"


def service(place: Project) -> Finding | None:
    """One small question in the name of the project's key; None where Linear is not used."""
    if place.tracker is None or place.tracker.plugin != "linear":
        return None
    try:
        settings = parse(place.tracker.config)
        with as_published("Linear"):
            who = LinearClient(settings.api_url, settings.authorization, SystemClock()).ask(WHO)[
                "viewer"
            ]["name"]
    except ConfigError as error:
        problems = "; ".join(map(str, error.problems))
        return broken(
            f"project {place.id}: tracker_config.config: {problems}",
            "docs/linear.md has every setting",
        )
    except Unreachable as error:
        return warning(
            f"project {place.id}: Linear cannot be reached: {error}", f"curl -sS {settings.api_url}"
        )
    except EnnioError as error:
        return broken(
            f"project {place.id}: {error}", f"make a new key ({_KEYS}) and set it as api_key"
        )
    return fine(f"project {place.id}: Linear knows its key as {who}'s")
