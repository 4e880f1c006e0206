"""Keeps the metering proxy of a host alive while launches go past it.

It is a process of its own, which neither stop, upgrade nor a kill of the supervisor ends; here it
is only found, and started again where it is gone. Whoever asks a model meanwhile sees an ordinary
connection error, and tries again. What its sessions may still use it is told at each look.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.headroom import headroom
from ennio.actors.messages import BudgetsMoved, EffectResult, GetHealth, Ping, Wake
from ennio.actors.poller import Pace, SourceHealth
from ennio.actors.timers import NextWake
from ennio.hosts.interface import Host
from ennio.hosts.observation import MeterState
from ennio.model.errors import EnnioError

EVERY = 2.0
"""Seconds between two looks whether it lives."""
_KEEP = "meter"
log = logging.getLogger(__name__)


class MeterActor(Actor):
    """Looks beside its mailbox, and starts nothing that is there."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, host: Host
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._host = host
        self._pace = Pace(EVERY)
        self._begun = self._limited = 0.0
        self._trouble = ""
        self._next = NextWake(self)
        self.health = SourceHealth()

    def on_start(self) -> None:
        """It is there before the first agent is started."""
        self._look()

    def on_stop(self) -> None:
        """No more looks; the proxy goes on for as long as somebody may pass it."""
        self._next.cancel()
        with suppress(EnnioError):
            self._host.leave_meter()

    def on_receive(self, message: Any) -> Any:
        """It is time to look, or a look has ended."""
        match message:
            case Wake():
                self._look()
            case BudgetsMoved(since):
                if since >= self._limited:
                    self._limit()
            case EffectResult(_, state, error):
                self._looked(state, error)
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _look(self) -> None:
        self._begun = time.monotonic()
        self._limit()
        self.perform(_KEEP, self._host.keep_meter)

    def _limit(self) -> None:
        """Tell the proxy what may still be used. Where that cannot be done what it was told last
        holds, and the next look does it again.
        """
        self._limited, trouble = time.monotonic(), ""
        try:
            self._host.limit_metered(headroom(self._deps, self._host.name))
        except (EnnioError, OSError) as error:
            trouble = str(error)
            if trouble != self._trouble:
                log.warning("the metering proxy could not be told what is left: %s", trouble)
        self._trouble = trouble

    def _looked(self, state: MeterState | None, error: EnnioError | None) -> None:
        trouble = str(error or "")
        if state is not None:
            self.health.watched, trouble = len(state.sessions), state.detail
        self.health.looked(self._deps.clock.now(), trouble, time.monotonic() - self._begun)
        self._pace.failures = 0 if error is None else self._pace.failures + 1
        self._next.set(self._pace.wait())
