"""What a session's actor does about a budget that holds it: written down before anything is done.

The metering proxy is told of every beginning and end, after it is written, and of where it stands
when the actor begins: it lets no request of a session pass that is held.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from ennio.actors import budgets, metered, parking
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import NotificationDue
from ennio.actors.registry import NOTICES
from ennio.actors.session_state import MessageChange, SessionState
from ennio.model.errors import OverBudget
from ennio.model.events import Draft, EventType
from ennio.model.message import Message, Origin
from ennio.model.session import Session
from ennio.policy.budgets import words
from ennio.policy.lifecycle import PendingMessage, Plan, pausing
from ennio.policy.lifecycle.state import Pause, TurnGrant


def begin(deps: Dependencies, state: SessionState) -> None:
    """Have its requests pass, or not, as it was written last: who wrote it may have died then."""
    pause = state.memory.pause
    if state.memory.launches and not state.memory.finished:
        metered.hold(deps, state.session, pause.why if pause and _holds(pause) else None)


def write(
    deps: Dependencies, state: SessionState, plan: Plan, messages: Sequence[MessageChange]
) -> bool:
    """Write what came of a step; where it goes on after a pause, with the words that say so.
    Whether there was anything.
    """
    before, after = state.written[1].pause, plan.state.pause
    if before is None and after is None:
        return parking.write(state, plan, messages)
    reached = budgets.BudgetsReached()
    with deps.store.transaction() as tx:
        if before is None:
            reached = budgets.reached(deps, tx, state.session)
        if after is None and before is not None:
            _end(deps, state, before, goes_on=plan.goes_on)
        written = parking.write(state, plan, messages)
    budgets.pass_on(deps, state.session, reached)
    if after is None:
        deps.actors.tell(NOTICES, NotificationDue())  # what was told of it may hold no more
    _tell(deps, state.session, before, after)
    return written


def _tell(deps: Dependencies, session: Session, before: Pause | None, after: Pause | None) -> None:
    """Tell of what changed."""
    if _holds(after) != _holds(before):
        metered.hold(deps, session, after.why if after and _holds(after) else None)


def _holds(pause: Pause | None) -> bool:
    return pause is not None and pause.grant is TurnGrant.NONE


def _end(deps: Dependencies, state: SessionState, pause: Pause, *, goes_on: bool) -> None:
    if goes_on:
        text = " ".join((words.GO_ON, *budgets.exposed(deps, state.session)))
        deps.store.messages.add(_words(state.session, pause, text, deps.clock.now()))


def _words(session: Session, pause: Pause, text: str, now: datetime) -> Message:
    """Words that are said once in a pause, whoever dies meanwhile."""
    cut = pause.pressed_at or pause.since  # each interrupt is another
    mark = f"{session.id}:go-on:{cut.isoformat()}"
    return Message(
        str(uuid.uuid5(uuid.NAMESPACE_OID, mark)),
        session.id,
        text,
        Origin.REACTION,
        now,
        fingerprint=mark,
        reaction=budgets.EXCEEDED,
    )


def let_go_on(deps: Dependencies, state: SessionState, pending: PendingMessage | None) -> None:
    """A person lets it end its turn. Raises Conflict."""
    now, before = deps.clock.now(), state.memory.pause
    memory, speaks = pausing.let_go_on(state.memory, waits=pending is not None, now=now)
    if memory == state.memory or before is None:
        return
    state.memory = memory
    with deps.store.transaction():
        if speaks:
            deps.store.messages.add(_words(state.session, before, words.FINISH, now))
        said = f"a person lets it end its turn although budget {before.budget} is used up"
        state.write([Draft(EventType.SESSION_STEP, said, data={"step": "go-on"})])
    _tell(deps, state.session, before, memory.pause)


def refuse(state: SessionState) -> None:
    """Raise OverBudget where nothing may be said to its agent."""
    if pausing.held(state.memory) and state.session.paused:
        raise OverBudget(f"session {state.session.id} is {state.session.paused}")
