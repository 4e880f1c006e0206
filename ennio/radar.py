"""Who says which branches will not merge with each other, and who says on pull requests what
readers said of them.
"""

from __future__ import annotations

from ennio.actors.conflict_radar import ConflictRadar
from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import CONFLICTS, REVIEWS
from ennio.actors.reviewer import ReviewActor
from ennio.actors.root import Start


def radar(deps: Dependencies) -> list[tuple[str, Start]]:
    """One of each for all projects."""
    return [
        (CONFLICTS, lambda name, watcher: ConflictRadar.start(deps, name, watcher)),
        (REVIEWS, lambda name, watcher: ReviewActor.start(deps, name, watcher)),
    ]
