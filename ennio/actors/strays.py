"""Sessions that nobody looks after, and that is said: their project is not in the file any more, or
their host is not known.

A person can still end those of a project that left.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from ennio.actors import forecasting
from ennio.actors.dependencies import Dependencies
from ennio.actors.session_context import brief_without_project
from ennio.model import codec
from ennio.model.errors import EnnioError, Refused
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority, Session, SessionStatus
from ennio.policy.lifecycle import LifecycleState, orders

log = logging.getLogger(__name__)


def why(deps: Dependencies, session: Session) -> str | None:
    """Why nobody looks after it and what to do; None where its project and its host are there."""
    if deps.host_of_name(session.host) is None:
        return (
            f"nobody watches it: it is on host {session.host}, which this supervisor does not "
            "know, so nobody can say whether its agent "
            "lives, and it is not started here; have that host known again, or end the agent over "
            "there"
        )
    if deps.config.project(session.project_id) is not None:
        return None
    return (
        f"nobody watches it: its project {session.project_id} is not in {deps.config.source}; put "
        "that back under this project_id and then ennio reload, or end it: ennio session kill "
        f"{session.id}"
    )


def refuse(deps: Dependencies, session: Session) -> None:
    """Raise Refused with the reason and the way out, where nobody looks after it."""
    reason = why(deps, session)
    if reason is not None:
        raise Refused(f"session {session.id}: {reason}")


def show(deps: Dependencies, session: Session) -> None:
    """Have it shown as one without a signal; told once."""
    reason = why(deps, session)
    if reason is None or session.status.terminal or session.reason == reason:
        return
    log.warning("session left alone", extra={"session": session.id, "reason": reason})
    shown = replace(
        session, reason=reason, no_signal_since=session.no_signal_since or deps.clock.now()
    )
    try:
        with deps.store.transaction() as tx:
            deps.store.sessions.save(shown)
            tx.emit(
                session.id,
                session.project_id,
                Draft(EventType.SIGNAL_LOST, reason, Priority.ACTION),
            )
    except EnnioError as error:
        log.warning(
            "not written that a session is left alone",
            extra={"session": session.id, "error": str(error)},
        )


def kill(deps: Dependencies, session: Session, by: str) -> Session:
    """End what runs of it, then say so. Blocks for some seconds; raises Unreachable where it cannot
    be ended, and Conflict where it has.
    """
    text = deps.store.memories.get(session.id)
    memory = orders.kill(
        codec.loads(LifecycleState, text)
        if text
        else LifecycleState(session.status, session.created_at),
        by,
        session.id,
    )
    if memory.status is SessionStatus.KILLED:
        return session
    host, brief = deps.host(session), brief_without_project(session)
    if session.runtime_name and memory.launches:
        host.stop(brief, launched=True)
    host.stop(brief, launched=False)
    now, before, rule = deps.clock.now(), memory.status, f"killed by {by}"
    memory = replace(
        orders.stopped(memory), status=SessionStatus.KILLED, status_since=now, rule=rule
    )
    killed = replace(session, status=SessionStatus.KILLED, reason=rule, no_signal_since=None)
    data = {"from": before.value, "to": "killed", "reason": rule}
    with deps.store.transaction() as tx:
        deps.store.sessions.save(killed)
        forecasting.ended(deps, killed)
        deps.store.memories.save(session.id, codec.dumps(memory))
        deps.store.queue.remove(session.id)
        tx.emit(
            session.id,
            session.project_id,
            Draft(EventType.STATUS_CHANGED, f"{before} -> killed: {rule}", data=data),
        )
        tx.emit(session.id, session.project_id, Draft(EventType.SESSION_KILLED, rule, data=data))
    return killed
