"""How the house is doing: its actors, its sources, and how many of what there are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import HowIsIt, Roster
from ennio.actors.poller import Pulse
from ennio.actors.registry import AGENTS, ROOT
from ennio.model.errors import NotFound, Unreachable


def condition(deps: Dependencies) -> dict[str, Any]:
    """What there is to say of actors, sources, sessions and the queue."""
    roster, store = deps.actors.ask(ROOT, Roster()), deps.store
    return {
        "database_problem": store.problem,
        "actors": {
            "running": sum(1 for state, _ in roster.values() if state == "running"),
            "troubled": {name: {"state": state, "error": error} for name, (state, error) in roster.items() if state != "running"},
        },
        "sources": {name: pulse.as_json() for name, pulse in pulses(deps).items()},
        "sessions": dict(Counter(session.status.value for session in store.sessions.list())),
        "queue": len(store.queue.list()),
        "last_seq": store.events.last_seq(),
        "merges_open": len(store.merges.open()),
    }


def pulses(deps: Dependencies) -> dict[str, Pulse]:
    """How each source has been doing; one that is just being restarted is in trouble, and no reason not to show the others."""
    sources = [name for name in deps.actors.names() if name == AGENTS or name.startswith(("runtime:", "forge:", "tracker:"))]
    return {name: _pulse(deps, name) for name in sources}


def _pulse(deps: Dependencies, name: str) -> Pulse:
    try:
        found: Pulse = deps.actors.ask(name, HowIsIt())
    except (NotFound, Unreachable) as error:
        return Pulse(ok=False, detail=str(error))
    return found
