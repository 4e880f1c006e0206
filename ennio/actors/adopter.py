"""Takes in agents on another host that the database does not know, once that host can be asked: the
supervisor serves meanwhile.
"""

from __future__ import annotations

from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.adoption import TakenIn, adopt
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, GetHealth, Ping, StartSession, Wake
from ennio.actors.poller import Pace, SourceHealth
from ennio.actors.registry import ROOT
from ennio.actors.timers import NextWake
from ennio.hosts.interface import Host
from ennio.model.errors import EnnioError

_FIRST = 10.0
"""Seconds until a host that could not be asked is asked again, doubled each time."""
_ADOPT = "adopt"


class AdopterActor(Actor):
    """Looks once, beside its mailbox, and rests then."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, host: Host
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._host = host
        self._pace = Pace(_FIRST, longest=600.0)
        self._next = NextWake(self)
        self.health = SourceHealth()

    def on_start(self) -> None:
        """Look."""
        self._look()

    def on_stop(self) -> None:
        """No more looks."""
        self._next.cancel()

    def on_receive(self, message: Any) -> Any:
        """It has looked, or is to look again."""
        match message:
            case Wake():
                self._look()
            case EffectResult(_, adopted, error):
                self._looked(adopted or (), error)
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _look(self) -> None:
        self._next.cancel()
        self.perform(_ADOPT, lambda: adopt(self._deps, self._host))

    def _looked(self, adopted: tuple[TakenIn, ...], error: EnnioError | None) -> None:
        self.health.looked(self._deps.clock.now(), str(error or ""))
        for taken in adopted:
            self._deps.actors.tell(ROOT, StartSession(taken.session_id))
        if error is not None:
            self._pace.failures += 1
            self._next.set(self._pace.wait())
