"""Who says which branches will not merge with each other."""

from __future__ import annotations

from ennio.actors.conflict_radar import ConflictRadar
from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import CONFLICTS
from ennio.actors.root import Start


def radar(deps: Dependencies) -> list[tuple[str, Start]]:
    """One for all projects."""
    return [(CONFLICTS, lambda name, watcher: ConflictRadar.start(deps, name, watcher))]
