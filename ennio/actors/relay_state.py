"""How the relay to NATS is doing."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import RELAY
from ennio.model.errors import EnnioError


@dataclass(frozen=True, slots=True)
class RelayState:
    """How it is doing: ``connected``, ``lagging`` or ``down``, by how many
    events it is behind (None: the database cannot be asked), and why.
    """

    state: str
    behind: int | None
    detail: str = ""
    stream: str = ""


def relay_down(deps: Dependencies, why: str) -> RelayState:
    """The state of one that cannot be asked."""
    return RelayState("down", behind_by(deps), why)


def behind_by(deps: Dependencies) -> int | None:
    """How many events are not published yet; None where the database cannot be asked."""
    try:
        last, cursor = deps.store.events.last_seq(), deps.store.cursors.get(RELAY)
    except EnnioError:
        return None
    return 0 if cursor is None else max(0, last - cursor)
