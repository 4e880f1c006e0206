"""Pollers ask a source once for everything it knows, and tell each session what is its own.

A look runs beside the mailbox; looks never overlap; any number of "look now" make one look.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pykka

from ennio import tracing
from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, GetHealth, LookNow, Ping, Unwatch, Wake
from ennio.actors.registry import session_name
from ennio.actors.timers import NextWake
from ennio.model.errors import EnnioError


@dataclass(slots=True)
class SourceHealth:
    """How a source has been doing, for the status page."""

    looks: int = 0
    at: datetime | None = None
    took: float = 0.0
    ok: bool = True
    detail: str = ""
    watched: int = 0

    def looked(self, at: datetime, trouble: str, took: float = 0.0) -> None:
        """Note a look that has ended; without words of trouble all is well."""
        self.looks += 1
        self.at, self.took = at, took
        self.ok, self.detail = not trouble, trouble

    def as_json(self) -> dict[str, Any]:
        """The health as the API shows it."""
        at = self.at.isoformat() if self.at else None
        return {
            "looks": self.looks,
            "at": at,
            "took": round(self.took, 4),
            "ok": self.ok,
            "detail": self.detail,
            "watched": self.watched,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when it began (monotonic)."""

    begun: float


@dataclass(slots=True)
class Pace:
    """How often to look: the period, stretched while the source is in trouble."""

    period: float
    failures: int = 0
    longest: float = 60.0

    @property
    def least(self) -> float:
        """Seconds between two looks when somebody is in a hurry."""
        return min(self.period, 0.1)

    def wait(self) -> float:
        """Seconds until the next look."""
        stretched: float = self.period * 2 ** min(self.failures, 6)
        return min(stretched, max(self.longest, self.period))


@dataclass(slots=True)
class _State:
    looking: bool = False
    again: bool = False
    begun: float = 0.0
    health: SourceHealth = field(default_factory=SourceHealth)


class PollerActor(Actor):
    """What pollers share; a source overrides ``watch``, ``look`` and ``tell``."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, period: float
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._pace = Pace(period)
        self._state = _State()
        self._watched: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._next = NextWake(self)

    def on_start(self) -> None:
        """The first look comes with the first watch."""
        self._next.set(self._pace.period)

    def on_stop(self) -> None:
        """No more looks."""
        self._next.cancel()

    def on_receive(self, message: Any) -> Any:
        """Watches come and go; a look ends."""
        match message:
            case Wake():
                self._begin()
            case LookNow(session_id):
                self._look_now(session_id)
            case Unwatch(session_id):
                self._watched.pop(session_id, None)
                self._told.pop(session_id, None)
            case EffectResult(Look() as look, result, error):
                self._looked(look, result, error)
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                self._watch(message)
        return None

    @property
    def health(self) -> SourceHealth:
        """How the source is doing."""
        self._state.health.watched = len(self._watched)
        return self._state.health

    def _watch(self, message: Any) -> None:
        """Who asks again may have been restarted and know nothing: what was told
        before is told once more.
        """
        self._watched[message.session_id] = message
        self._look_now(message.session_id)

    def _look_now(self, session_id: str | None) -> None:
        if session_id is not None:
            self._told.pop(session_id, None)
        if self._state.looking:
            self._state.again = True
        elif time.monotonic() + self._pace.least < self._next.due:
            # never later than it was to be: a steady stream of hurry would
            # put the look off for ever
            self._next.set(self._pace.least)

    def _begin(self) -> None:
        if self._state.looking:
            return
        if not self._watched:
            self._next.set(self._pace.wait())
            return
        self._state.looking, self._state.again = True, False
        self._state.begun = time.monotonic()
        turn = self.turn(self._state.begun)
        told: tracing.Attributes = {tracing.SOURCE: self.name, tracing.WATCHED: len(turn)}
        look = tracing.traced("look", told, lambda: self.look(turn))
        self.perform(Look(self._state.begun), look)

    def _looked(self, look: Look, result: Any, error: EnnioError | None) -> None:
        state, health = self._state, self._state.health
        state.looking = False
        trouble = self.trouble(result) if error is None else str(error)
        health.looked(self._deps.clock.now(), trouble, time.monotonic() - look.begun)
        self._pace.failures = 0 if error is None else self._pace.failures + 1
        self.tell(look.begun, result, error)
        self._next.set(self._pace.least if state.again and error is None else self.pause())

    def trouble(self, result: Any) -> str:
        """What of a look that ended well could not be seen all the same; empty when all was."""
        return ""

    def pause(self) -> float:
        """Seconds until the next look, when nobody is in a hurry."""
        return self._pace.wait()

    def turn(self, now: float) -> Mapping[str, Any]:
        """Who is looked at this time: everybody, unless a source has turns. Decided in the
        mailbox, before the look.
        """
        return dict(self._watched)

    def look(self, watched: Mapping[str, Any]) -> Any:
        """Ask the source once, for all whose turn it is. Runs beside the mailbox."""
        raise AssertionError(f"{type(self).__name__} must say how it looks")

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Tell every watcher what is its own."""
        raise AssertionError(f"{type(self).__name__} must say what it tells")

    def _tell_session(self, session_id: str, message: Any) -> None:
        self._deps.actors.tell(session_name(session_id), message)
