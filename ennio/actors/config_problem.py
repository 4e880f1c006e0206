"""Tells who follows the log that the configuration file is refused, and that it is good again."""

from __future__ import annotations

from ennio.actors import system_notices
from ennio.actors.dependencies import Dependencies
from ennio.config.system_notices import CONFIG_REFUSED
from ennio.model.clock import rfc3339
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority

_TOLD = "config_problem"  # under this name in the store: what was last told of the file


def tell(deps: Dependencies, problem: str | None) -> None:
    """Once for each: ``problem`` is why its file is not the one it stands on, None where it is."""
    store, source = deps.store, deps.config.source
    if (problem or "") == (store.meta.get(_TOLD) or ""):
        return
    refused = f"the configuration was refused, the last good one holds: {problem}"
    kind, words, priority = EventType.CONFIG_REFUSED, refused, Priority.URGENT
    if problem is None:
        good = f"{source} is good again and holds"
        kind, words, priority = EventType.CONFIG_ACCEPTED, good, Priority.INFO
    draft, now = Draft(kind, words, priority, {"file": str(source)}), deps.clock.now()
    with store.transaction() as tx:
        store.meta.set(_TOLD, problem or "")
        tx.emit("", "", draft)
        system_notices.end(deps, CONFIG_REFUSED, now)  # of the file as it was before
        if problem is not None:
            system_notices.begin(deps, CONFIG_REFUSED, draft, episode=rfc3339(now))
    system_notices.announce(deps)
