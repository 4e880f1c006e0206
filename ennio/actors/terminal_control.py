"""Who has control of which agent's terminal: one person at a time, until they give it back, leave,
or do nothing for a while.

Kept in memory: whoever held it when the supervisor ended has to take it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import gevent

from ennio.hosts.delivery import Arrival, Delivery
from ennio.model.clock import Clock
from ennio.model.errors import Conflict
from ennio.model.events import Draft, EventType
from ennio.model.message import Message, Origin
from ennio.model.session import Session
from ennio.store import Store

IDLE = timedelta(minutes=5)
"""After so long without a key it goes back by itself."""
SILENCE = timedelta(seconds=10)
"""For how long the holder may leave another's question unanswered."""


@dataclass(frozen=True, slots=True)
class TerminalControl:
    """That somebody has control. ``id`` is a secret of theirs, by which they type; ``place`` is
    where they asked from, ``asked_by`` who would like to have it.
    """

    id: str
    holder: str
    place: str
    since: datetime
    active_at: datetime
    asked_by: str | None = None
    asked_at: datetime | None = None

    @property
    def idle_at(self) -> datetime:
        """When it goes back if nothing is typed until then."""
        return self.active_at + IDLE

    def is_theirs(self, control: str) -> bool:
        """Whether this is its secret."""
        return secrets.compare_digest(self.id.encode(), control.encode())

    def may_be_taken(self, now: datetime) -> bool:
        """Whether the holder has left a question unanswered for long enough."""
        return self.asked_at is not None and now - max(self.asked_at, self.active_at) >= SILENCE


class TerminalControls:
    """All of them. ``listeners`` are told the session whose control changed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._held: dict[str, TerminalControl] = {}
        self.listeners: list[Callable[[str], None]] = []

    def of(self, session_id: str) -> TerminalControl | None:
        """Who has control of a session's terminal."""
        return self._held.get(session_id)

    def take(self, session: Session, who: str, place: str) -> TerminalControl:
        """Take control. Raises Conflict where another has it, who is told then that it is wanted;
        one that says nothing to that loses it.
        """
        held, now = self._held.get(session.id), self._clock.now()
        if held is not None and not held.may_be_taken(now):
            self._held[session.id] = replace(held, asked_by=who, asked_at=held.asked_at or now)
            self._tell(session.id)
            raise Conflict(
                f"{held.holder} has control of the terminal of session {session.id} and was asked "
                f"for it; without an answer it can be taken in {SILENCE.total_seconds():g} s"
            )
        if held is not None:
            self._end(session, held, f"{who} took it over: no answer to their question")
        taken = TerminalControl(secrets.token_urlsafe(18), who, place, now, now)
        self._write(session, EventType.CONTROL_TAKEN, f"{who} took control of its terminal", taken)
        self._held[session.id] = taken
        gevent.spawn_later(IDLE.total_seconds(), self._look, session, taken.id)
        self._tell(session.id)
        return taken

    def give_back(self, session: Session, control_id: str, why: str = "given back") -> bool:
        """Give it back; False where it is not theirs any more, which is fine."""
        held = self._held.get(session.id)
        if held is None or not held.is_theirs(control_id):
            return False
        self._end(session, held, why)
        self._tell(session.id)
        return True

    def keep(self, session_id: str, control_id: str) -> None:
        """The holder answers who asked for it: not now. Raises Conflict."""
        held = self.insist(session_id, control_id)
        self._held[session_id] = replace(
            held, asked_by=None, asked_at=None, active_at=self._clock.now()
        )
        self._tell(session_id)

    def insist(self, session_id: str, control_id: str) -> TerminalControl:
        """Whoever names this has control, and is about to use it. Raises Conflict."""
        held = self._held.get(session_id)
        if held is None or not held.is_theirs(control_id):
            raise Conflict(
                f"the terminal of session {session_id} is read only for whoever has not taken "
                "control of it"
            )
        used = self._held[session_id] = replace(held, active_at=self._clock.now())
        return used

    def obstacle(self, session_id: str, message: Message) -> Delivery | None:
        """Why a message is not typed now: what nobody wrote waits for whoever has control."""
        held = self._held.get(session_id)
        if held is None or message.origin is not Origin.REACTION:
            return None
        return Delivery(
            Arrival.NOT_NOW,
            f"waits until {held.holder} gives the terminal back",
            typed=False,
            by_person=True,
        )

    def _end(self, session: Session, held: TerminalControl, why: str) -> None:
        del self._held[session.id]
        words = f"{held.holder} has no longer control of its terminal: {why}"
        self._write(session, EventType.CONTROL_RETURNED, words, held, why)

    def _write(
        self, session: Session, kind: EventType, words: str, control: TerminalControl, why: str = ""
    ) -> None:
        data = {"who": control.holder, "from": control.place, **({"why": why} if why else {})}
        with self._store.transaction() as tx:
            tx.emit(session.id, session.project_id, Draft(kind, words, data=data))

    def _look(self, session: Session, control_id: str) -> None:
        """Whether it has been idle for too long; looked at again when it may have been."""
        held = self._held.get(session.id)
        if held is None or held.id != control_id:
            return
        left = held.idle_at - self._clock.now()
        if left > timedelta():
            gevent.spawn_later(left.total_seconds(), self._look, session, control_id)
        else:
            self.give_back(session, control_id, f"nothing was typed for {IDLE.seconds // 60} min")

    def _tell(self, session_id: str) -> None:
        for listener in tuple(self.listeners):
            listener(session_id)
