"""How the supervisor is doing: its actors, its sources, and how many of what there are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GetHealth, ListChildren
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import AGENTS, ROOT
from ennio.actors.root import ChildState
from ennio.model.errors import NotFound, Unreachable


def condition(deps: Dependencies) -> dict[str, Any]:
    """What there is to say of actors, sources, sessions and the queue."""
    children, store = deps.actors.ask(ROOT, ListChildren()), deps.store
    return {
        "database_problem": store.problem,
        "actors": {
            "running": sum(1 for state, _ in children.values() if state is ChildState.RUNNING),
            "troubled": {
                name: {"state": state.value, "error": error}
                for name, (state, error) in children.items()
                if state is not ChildState.RUNNING
            },
        },
        "sources": {name: health.as_json() for name, health in health(deps).items()},
        "sessions": dict(Counter(session.status.value for session in store.sessions.list())),
        "queue": len(store.queue.list()),
        "last_seq": store.events.last_seq(),
        "merges_open": len(store.merges.open()),
    }


def health(deps: Dependencies) -> dict[str, SourceHealth]:
    """How each source has been doing; one that is just being restarted is in trouble, and no reason not to show the others."""
    sources = [name for name in deps.actors.names() if name == AGENTS or name.startswith((f"{AGENTS}:", "runtime:", "forge:", "tracker:"))]
    return {name: _health(deps, name) for name in sources}


def _health(deps: Dependencies, name: str) -> SourceHealth:
    try:
        found: SourceHealth = deps.actors.ask(name, GetHealth())
    except (NotFound, Unreachable) as error:
        return SourceHealth(ok=False, detail=str(error))
    return found
