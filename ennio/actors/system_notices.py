"""Tells people of Ennio itself: once for each episode, and takes it back when that is over.

Each is written in the transaction of the event it is about, and told once that is committed.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import NotificationDue
from ennio.actors.registry import NOTICES
from ennio.model.events import Draft
from ennio.store import Notice


def begin(deps: Dependencies, key: str, draft: Draft, *, episode: str) -> bool:
    """Line up what a person is told of an event; False when they were told of this episode."""
    return deps.store.notifications.add(
        Notice(
            id=str(uuid.uuid4()),
            event_type=draft.event_type.value,
            priority=draft.priority,
            session_id="",
            project_id="",
            message=draft.message,
            at=deps.clock.now(),
            reaction=key,
            fingerprint=_mark(key, episode),
        )
    )


def end(deps: Dependencies, key: str, now: datetime, *, episode: str | None = None) -> None:
    """What was told by this key, of one episode or of all, has no cause any more."""
    whose = {} if episode is None else {"fingerprint": _mark(key, episode)}
    deps.store.notifications.resolve(key, now, **whose)


def announce(deps: Dependencies) -> None:
    """Have it told, or taken back, after the transaction."""
    deps.actors.tell(NOTICES, NotificationDue())


def _mark(key: str, episode: str) -> str:
    return f"@ennio:{key}:{episode}"
