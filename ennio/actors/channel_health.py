"""Why a channel to people does not take what it is told, or did not take the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ennio.actors.dependencies import Dependencies
from ennio.model.clock import parse_time, rfc3339
from ennio.model.delivery import DeliveryKind, DeliveryState

_TESTED = "channel_tested:"
"""Under this name in the store: when a test last reached a channel."""


def troubles(deps: Dependencies) -> Mapping[str, tuple[int, str]]:
    """By channel: how many wait for it, tried or not, and why it took one not.

    One that a test has reached since it was given up is well again. Raises Unreachable.
    """
    found = dict(deps.store.deliveries.troubled(DeliveryKind.NOTICE))
    for channel in deps.config.notifiers:
        if channel.name not in found and (lost := _lost(deps, channel.name)) is not None:
            found[channel.name] = 0, lost
    return found


def told(waiting: int, why: str) -> str:
    """The same in words."""
    return f"{waiting} waiting: {why}" if waiting else f"did not take the last it was told: {why}"


def tested(deps: Dependencies, name: str) -> None:
    """A test has reached it."""
    deps.store.meta.set(_TESTED + name, rfc3339(deps.clock.now()))


def _lost(deps: Dependencies, name: str) -> str | None:
    last = deps.store.deliveries.last_tried(DeliveryKind.NOTICE, name)
    if last is None or last.state is DeliveryState.DONE:
        return None
    at = _tested_at(deps, name)
    if at is not None and last.settled_at is not None and last.settled_at <= at:
        return None
    return last.error or last.state.value


def _tested_at(deps: Dependencies, name: str) -> datetime | None:
    text = deps.store.meta.get(_TESTED + name)
    return parse_time(text) if text else None
