"""A person's order to end a session for good, and the proof that it has ended."""

from __future__ import annotations

import time
from dataclasses import replace

from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.messages import Kill
from ennio.actors.registry import session_name
from ennio.actors.session_context import brief_without_project
from ennio.model.errors import Conflict, Unreachable
from ennio.model.session import Session

WITHIN = 15.0  # seconds; an agent is asked to end, and made to after five
_SILENT = 2.0  # seconds for one that nobody hears of: it is ended once its host can be asked again


def end_without_database(deps: Dependencies, session: Session, by: str) -> Session:
    """End what runs of it although nothing can be written: the order is
    remembered beside the database.

    Its actor, which can do nothing meanwhile, carries it out in full when it can read and
    write again. Blocks for some seconds. Raises Unreachable where the agent cannot be ended,
    and Conflict where it has.
    """
    if session.status.terminal:
        raise Conflict(f"it is {session.status} already; there is nothing to kill")
    try:
        deps.store.stops.add(session.id, by)
    except OSError as error:
        raise Unreachable(
            f"the order to end it can be written down nowhere ({error}): {deps.store.problem}"
        ) from error
    host, brief = deps.host(session), brief_without_project(session)
    if session.runtime_name:
        host.stop(brief, launched=True)
    host.stop(brief, launched=False)
    return remembered(deps, session)


def remembered(deps: Dependencies, session: Session) -> Session:
    """A session as it is shown whose end was ordered while nothing could be
    written; any other as it is.
    """
    by = deps.store.stops.by(session.id)
    if by is None or session.status.terminal:
        return session
    return replace(
        session, reason=f"ended by {by}; it is written down as soon as the database can be"
    )


def end(deps: Dependencies, feed: Feed, session_id: str, by: str) -> Session:
    """Have it ended and wait for that, but not for ever; what is returned is ``killed`` only once
    nothing of its agent is left.
    """
    after = deps.store.events.last_seq()
    session: Session = deps.actors.ask(session_name(session_id), Kill(by))
    until = time.monotonic() + (_SILENT if session.no_signal_since else WITHIN)
    while not session.status.terminal and (left := until - time.monotonic()) > 0:
        news = feed.wait(after, left)
        if not news:
            break
        after = news[-1].seq
        session = deps.store.sessions.need(session_id)
    return session
