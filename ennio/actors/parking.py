"""A parked session's side of its messages: whose words wait, and the words with which it goes on.

They are a message like any other, of an id of its own for each session, window and reset: written
with the state that says it goes on, and so never twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from ennio.actors.session_state import MessageChange, SessionState
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import Activity
from ennio.policy.lifecycle import Plan

WORDS = "continue"


def waiting(state: SessionState) -> tuple[Origin, ...]:
    """Whose messages wait to be typed; asked only for a session that is parked."""
    if state.memory.parked is None:
        return ()
    pending = state.deps.store.messages.pending(state.session.id)
    return tuple(one.origin for one in pending if one.state is MessageState.QUEUED)


def overtaken(state: SessionState) -> Sequence[MessageChange]:
    """Words to go on that nobody needs any more: somebody let the agent go on by hand; not
    written yet.
    """
    if state.memory.parked is not None or state.memory.activity is not Activity.ACTIVE:
        return ()
    first = state.deps.store.messages.next(state.session.id)
    if first is None or first.origin is not Origin.PLAN or first.state is not MessageState.QUEUED:
        return ()
    why = "the agent was let go on by hand"
    return [(first, replace(first, state=MessageState.DROPPED, detail=why))]


def write(state: SessionState, plan: Plan, messages: Sequence[MessageChange]) -> bool:
    """Write what a step came to, with the words to go on where it says so; False when there was
    nothing to write.
    """
    if plan.says is None:
        return state.write(plan.events, plan.evidence, messages)
    with state.deps.store.transaction():
        _say(state, plan.says)
        return state.write(plan.events, plan.evidence, messages)


def _say(state: SessionState, name: str) -> None:
    session = state.session
    mark = f"plan-window:{name}"
    words = Message(
        str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session.id}:{mark}")),
        session.id,
        WORDS,
        Origin.PLAN,
        state.deps.clock.now(),
        fingerprint=mark,
        reaction="plan-window",
    )
    state.deps.store.messages.add(words)
