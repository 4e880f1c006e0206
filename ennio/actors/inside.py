"""What goes on inside of the supervisor, for whoever looks for a fault."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gevent.util import format_run_info

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import ListChildren
from ennio.actors.registry import ROOT
from ennio.model.errors import EnnioError, NotFound, Unreachable

EVENTS = 200
_FRAMES = 25


@dataclass(frozen=True, slots=True)
class ActorInside:
    """One actor: whether it lives, how it is doing, and how many messages wait for it."""

    name: str
    alive: bool
    mailbox: int
    state: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EventTold:
    """What happened, without the words: they may be anybody's."""

    seq: int
    event_type: str
    session_id: str
    project_id: str
    timestamp: datetime


def actors(deps: Dependencies) -> Sequence[ActorInside]:
    """Every actor, also those that are just not there."""
    children: dict[str, Any] = {}
    with suppress(NotFound, Unreachable):  # a root that does not answer is seen by its mailbox
        children = deps.actors.ask(ROOT, ListChildren())
    names = dict.fromkeys((*deps.actors.names(), *children))
    return [_actor(deps, name, children.get(name)) for name in names]


def _actor(deps: Dependencies, name: str, child: tuple[Any, str | None] | None) -> ActorInside:
    ref = deps.actors.ref(name)
    state, error = ("", None) if child is None else (str(child[0].value), child[1])
    if ref is None:
        return ActorInside(name, False, 0, state, error)
    inbox: Any = ref.actor_inbox
    return ActorInside(name, ref.is_alive(), inbox.qsize(), state, error)


def greenlets() -> Sequence[str]:
    """The stack of every greenlet and thread, as lines of code; no values."""
    return [str(line) for line in format_run_info(limit=_FRAMES)]


def database(deps: Dependencies) -> dict[str, Any]:
    """Who follows its log and how far, and how much is on its way; or why it cannot be asked."""
    store = deps.store
    try:
        return {
            "problem": store.problem,
            "schema": store.schema_version,
            "last_seq": store.events.last_seq(),
            "cursors": {cursor.name: cursor.seq for cursor in store.cursors.list()},
            "deliveries": store.deliveries.tally(),
            "sessions": store.totals.sessions(),
        }
    except EnnioError as error:
        return {"problem": str(error)}


def events(deps: Dependencies) -> Sequence[EventTold]:
    """The last of them, newest first."""
    with suppress(EnnioError):
        return [
            EventTold(e.seq, e.event_type, e.session_id, e.project_id, e.timestamp)
            for e in deps.store.events.before(None, EVENTS)
        ]
    return []
