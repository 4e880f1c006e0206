"""A person's order to end a session for good, and the proof that it has ended."""

from __future__ import annotations

import time

from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.messages import Kill
from ennio.actors.registry import session_name
from ennio.model.session import Session

WITHIN = 15.0  # seconds; an agent is asked to end, and made to after five


def end(deps: Dependencies, feed: Feed, session_id: str, by: str) -> Session:
    """Have it ended and wait for that, but not for ever; what is returned is ``killed`` only once nothing of its agent is left."""
    after = deps.store.events.last_seq()
    session: Session = deps.actors.ask(session_name(session_id), Kill(by))
    until = time.monotonic() + WITHIN
    while not session.status.terminal and (left := until - time.monotonic()) > 0:
        news = feed.wait(after, left)
        if not news:
            break
        after = news[-1].seq
        session = deps.store.sessions.need(session_id)
    return session
