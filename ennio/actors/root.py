"""The root supervisor: starts everybody in order, restarts who dies, gives up on who cannot live.

Static children come first and in a fixed order, so that nobody asks somebody started later; then
one actor per session. A dead actor reloads from the store and adopts what runs; agents never
notice. Restart intensity is counted per child and forgiven after a time; who cannot live is given
up, shown as such, and tried again more and more seldom. Many children dying at once open the
breaker, and then their restarts are spread out and held against nobody.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

import pykka

from ennio.actors import strays
from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import (
    Down,
    ListChildren,
    Ping,
    RestartChild,
    RestartDue,
    Resubscribe,
    SessionOver,
    StartSession,
)
from ennio.actors.registry import ASK_TIMEOUT, ActorRegistry, session_name
from ennio.actors.session import SessionActor
from ennio.config.model import Restart
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority, Session
from ennio.policy import restart
from ennio.policy.breaker import Breaker
from ennio.policy.turn_inputs import UNWATCHED

log = logging.getLogger(__name__)

INTENSITY = Restart(attempts=5, within=60.0, delay=0.05)
FIRST_PAUSE, LONGEST_PAUSE = (
    60.0,
    900.0,
)  # seconds between two tries of a child that was given up; doubled each time

Start = Callable[[str, Any], pykka.ActorRef[Any]]


class ChildState(StrEnum):
    """How a child is doing, as the API shows it."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    GIVEN_UP = "given up"


@dataclass(slots=True)
class Child:
    """One child: how it is started and how it has been doing."""

    name: str
    start: Start
    session_id: str | None = None
    state: ChildState = ChildState.STARTING
    restarts: list[datetime] = field(default_factory=list)
    surrenders: int = 0
    surrendered_at: datetime | None = None
    error: str | None = None
    essential: bool = False


class RootSupervisor(Actor):
    """Keeps all actors alive. ``on_death`` is called when it dies itself, with the
    reason: nobody else watches it.
    """

    def __init__(
        self,
        deps: Dependencies,
        fixed: Sequence[tuple[str, Start]],
        on_death: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__("root")
        self._deps = deps
        self._on_death = on_death
        self._begun = False
        self._children = {name: Child(name, start, essential=True) for name, start in fixed}
        self._fixed = tuple(name for name, _ in fixed)
        self._breaker = Breaker()

    @property
    def _actors(self) -> ActorRegistry:
        return self._deps.actors

    def on_start(self) -> None:
        """Everybody in order; a fixed child that does not start ends the
        supervisor with its error.
        """
        self._actors.enter("root", self.actor_ref)
        for name in self._fixed:
            ref = self._launch(self._children[name])
            ref.ask(Ping(), timeout=ASK_TIMEOUT)
        for session in self._deps.store.sessions.list():
            self._start_session(session.id)
        self._begun = True

    def _ended(self, greenlet: Any) -> None:
        super()._ended(greenlet)
        if self._begun and self._death is not None and self._on_death is not None:
            self._on_death(self._death)

    def on_stop(self) -> None:
        """In reverse order. Actors end; agents go on."""
        for name in reversed(self._children):
            ref = self._actors.ref(name)
            if ref is not None and ref.is_alive():
                ref.stop(block=False)

    def on_receive(self, message: Any) -> Any:
        """Deaths, births, and questions about both; without a database it goes
        on, and so does the worker.
        """
        try:
            return self._received(message)
        except Unreachable as error:
            if self._deps.store.problem is None:
                raise
            log.warning(
                "root could not ask the database",
                extra={"about": type(message).__name__, "error": str(error)},
            )
            if isinstance(message, StartSession):
                self.later(self._deps.store.retry_after, message)
        return None

    def _received(self, message: Any) -> Any:
        match message:
            case StartSession(session_id):
                self._start_session(session_id)
            case SessionOver(session_id):
                self._over(session_name(session_id))
            case Down():
                self._on_down(message)
            case RestartDue(name):
                self._restart(name)
            case RestartChild(name):
                self._restart_given_up(name)
            case ListChildren():
                return {child.name: (child.state, child.error) for child in self._children.values()}
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _start_session(self, session_id: str) -> None:
        name = session_name(session_id)
        if name in self._children:
            return
        session = self._deps.store.sessions.get(session_id)
        if session is None:
            return
        if strays.why(self._deps, session) is not None:
            strays.show(self._deps, session)
            return

        def start(name: str, watcher: Any) -> pykka.ActorRef[Any]:
            return SessionActor.start(self._deps, session_id, name, watcher)

        self._children[name] = Child(name, start, session_id)
        self._launch(self._children[name])

    def _launch(self, child: Child) -> pykka.ActorRef[Any]:
        ref = child.start(child.name, self.actor_ref)
        self._actors.enter(child.name, ref)
        child.state = ChildState.RUNNING
        return ref

    def _over(self, name: str) -> None:
        child = self._children.pop(name, None)
        ref = self._actors.ref(name)
        if child is not None and ref is not None:
            self._actors.leave(name, ref.actor_urn)
            ref.stop(block=False)

    def _on_down(self, down: Down) -> None:
        name = down.name
        known = self._actors.leave(name, down.urn)
        child = self._children.get(name)
        if not known or child is None or self.actor_stopped.is_set():
            return
        now = self._deps.clock.now()
        child.error, child.state = down.error or "it ended", ChildState.RESTARTING
        self._breaker = self._breaker.record(name, now)
        log.error("actor crashed", extra={"actor": name, "error": child.error})
        if down.outage and self._deps.store.problem is not None:
            self._later(name, self._deps.store.retry_after)
            return
        if down.outage or self._breaker.is_open(now):
            self._later(name, random.uniform(1.0, 5.0))  # noqa: S311 - spreading load, not keeping secrets
            return
        self._by_intensity(child, now)

    def _by_intensity(self, child: Child, now: datetime) -> None:
        window = timedelta(seconds=INTENSITY.within)
        child.restarts = [at for at in child.restarts if now - at < window]
        verdict = restart.decide(INTENSITY, child.restarts, now, random.random())  # noqa: S311 - jitter
        if verdict.again is restart.Again.GIVE_UP and not child.essential:
            self._give_up(child, verdict.reason, now)
            return
        child.restarts.append(now)
        # what everybody needs is never given up, only tried more and more slowly
        delay = verdict.delay if verdict.again is restart.Again.RESTART else INTENSITY.within / 2
        self._later(child.name, delay)

    def _later(self, name: str, delay: float) -> None:
        self.later(delay, RestartDue(name))

    def _restart(self, name: str) -> None:
        child = self._children.get(name)
        if child is None or child.state is not ChildState.RESTARTING:
            return
        try:
            self._launch(child)
        except EnnioError as error:
            child.error = str(error)
            self._by_intensity(child, self._deps.clock.now())
            return
        log.info("actor restarted", extra={"actor": name, "attempt": len(child.restarts)})
        if child.essential:
            for other in self._children.values():
                if other.session_id is not None:
                    self._actors.tell(other.name, Resubscribe())
        else:
            self._adopted(child)

    def _session_of(self, child: Child) -> Session | None:
        return None if child.session_id is None else self._deps.store.sessions.get(child.session_id)

    def _adopted(self, child: Child) -> None:
        session = self._session_of(child)
        if session is not None:
            words = (
                f"its actor crashed ({child.error}) and was restarted; the agent was not touched"
            )
            self._tell(
                session, Draft(EventType.SESSION_ADOPTED, words, data={"error": child.error})
            )

    def _tell(self, session: Session, draft: Draft) -> None:
        """What cannot be written is said in the log alone: everybody's supervisor
        does not die of a full disk.
        """
        try:
            with self._deps.store.transaction() as tx:
                tx.emit(session.id, session.project_id, draft)
        except EnnioError as error:
            log.warning(
                "event not written",
                extra={"session": session.id, "event": draft.event_type.value, "error": str(error)},
            )

    def _give_up(self, child: Child, reason: str, now: datetime) -> None:
        """Show its session as one nobody watches, and try again after a pause: what it
        failed of may be gone by then.
        """
        child.state = ChildState.GIVEN_UP
        lived = child.surrendered_at is not None and now - child.surrendered_at > timedelta(
            seconds=2 * LONGEST_PAUSE
        )
        child.surrenders, child.surrendered_at = (1 if lived else child.surrenders + 1), now
        self.later(
            min(FIRST_PAUSE * 2 ** (child.surrenders - 1), LONGEST_PAUSE), RestartChild(child.name)
        )
        session = self._session_of(child)
        if session is None:
            return
        words = (
            f"nobody watches it: its actor {reason}; last error: {child.error}. `ennio session "
            f"restore {session.id}` tries again now"
        )
        told = Draft(EventType.SIGNAL_LOST, words, Priority.CRITICAL, {"error": child.error})
        self._show(
            replace(
                session,
                reason=words,
                no_signal_since=session.no_signal_since or now,
                no_signal=f"{UNWATCHED} {reason}: {child.error}",
            ),
            told if child.surrenders == 1 else None,
        )

    def _show(self, session: Session, told: Draft | None) -> None:
        """Its actor writes over it as soon as it lives."""
        try:
            with self._deps.store.transaction() as tx:
                self._deps.store.sessions.save(session)
                if told is not None:
                    tx.emit(session.id, session.project_id, told)
        except EnnioError as error:
            log.warning(
                "session given up, and that was not written",
                extra={"session": session.id, "error": str(error)},
            )

    def _restart_given_up(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.state is ChildState.GIVEN_UP:
            child.restarts.clear()
            child.state = ChildState.RESTARTING
            self._restart(name)
