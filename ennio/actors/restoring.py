"""A session that is restored takes its place in the queue like a new one."""

from __future__ import annotations

from dataclasses import replace

from ennio.actors.dependencies import Dependencies
from ennio.actors.session_state import SessionState
from ennio.model.events import Draft, EventType
from ennio.policy.lifecycle import orders
from ennio.store import Waiting


def restore(deps: Dependencies, state: SessionState) -> None:
    """Have it wait, and write its place in the transaction that makes it wait. Raises Conflict."""
    place = state.facts.place
    memory = orders.restore(state.memory, unusable=place is not None and not place.place.usable)
    now, session = deps.clock.now(), state.session
    state.facts = replace(state.facts, place=None)
    state.memory = memory
    state.session = replace(session, restored_at=now)
    with deps.store.transaction():
        deps.store.queue.add(
            Waiting(session.id, session.project_id, session.priority, 0, False, now, "")
        )
        state.write([Draft(EventType.SESSION_RESTORED, "restored by a person")])
