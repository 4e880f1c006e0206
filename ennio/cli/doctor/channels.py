"""Channels to people: whether each would take a notice, as far as a probe can tell."""

from __future__ import annotations

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.model import Config, NotifierConfig
from ennio.model.errors import EnnioError, Unreachable
from ennio.plugins.registry import Registry, installed
from ennio.policy import notices


def channel(place: NotifierConfig, registry: Registry) -> Finding | None:
    """What a probe says; None for a channel that cannot be probed, or is not there at all."""
    if place.plugin not in installed("notifier"):
        return None
    test = f"ennio notify test {place.name}"
    try:
        plugin = registry.notifier(place.plugin, place.name, place.config)
        if not hasattr(plugin, "probe"):
            return fine(f"notifiers[{place.name}]: {place.plugin} is there; try it: {test}")
        words = plugin.probe()
    except Unreachable as error:
        way = f"start what should answer there, or mend its settings, then: {test}"
        return warning(f"notifiers[{place.name}] cannot be reached: {error}", way)
    except EnnioError as error:
        return broken(f"notifiers[{place.name}]: {error}", f"mend it as it says, then: {test}")
    return fine(f"notifiers[{place.name}]: {words}")


def buttons(config: Config) -> Finding | None:
    """Buttons that answer lead a phone to this very machine."""
    wanted = [one.id for one in config.projects if one.answer]
    if not wanted or config.public_url:
        return None
    return warning(
        f"buttons that answer questions of {', '.join(wanted)} lead to {notices.base(config)}, "
        "which no phone reaches",
        "public_url: https://...  in ennio.yaml: where phones reach this Ennio",
    )


def unrouted(config: Config) -> Finding | None:
    """Nobody is told anything: fine for whoever looks at the board, and worth a word."""
    projects = any(one.notifiers or one.notification_routing for one in config.projects)
    if config.defaults.notifiers or config.notification_routing or projects:
        return None
    way = "defaults: {notifiers: [desktop]}  in ennio.yaml (docs/notices.md)"
    return fine(f"nobody is told when an agent needs a person; to be told: {way}")
