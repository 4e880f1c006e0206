"""What looks at a host share: while somebody waits for its news, those that are waited
for are looked at seldom.

A look is the second witness then: what was not told of, it finds. Whoever has news is looked at at
once, and then no more often than without it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import NewsTold, NodeDoubted
from ennio.actors.poller import Look, PollerActor
from ennio.actors.registry import node_name
from ennio.hosts.interface import Host
from ennio.model.errors import EnnioError

SECOND_WITNESS = 15.0  # seconds between two looks at those that are waited for
NEWS_WITHIN = 30.0  # seconds after which a host is asked anew whether there is news
_AWAY = 5.0
"""Seconds at most between two looks at another machine that is away: when it connects again is its
own to know, and a look meanwhile costs nothing.
"""
_DEAF = 2.5 * NEWS_WITHIN  # seconds without a word, not even that there is none


class HostPoller(PollerActor):
    """A poller of something on a host."""

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        period: float,
        host: Host,
    ) -> None:
        super().__init__(deps, name, watcher, period)
        if host.name:
            self._pace.longest = _AWAY
        self._host = host
        self._awaited: set[str] = set()
        self._told_of: set[str] = set()
        self._heard_until = 0.0
        self._begun = -math.inf

    def on_receive(self, message: Any) -> Any:
        """News beside all that pollers are told."""
        if not isinstance(message, NewsTold):
            return super().on_receive(message)
        self._heard_until = time.monotonic() + _DEAF if message.waits else 0.0
        news = (
            set(self._watched)
            if message.everybody or not message.waits
            else self._watched.keys() & set(message.sessions)
        )
        self._told_of |= news
        self._awaited -= news
        if news and not self._state.looking and self.next_look() < self._next.due:
            self._next.set(self.next_look() - time.monotonic())
        return None

    def _looked(self, look: Look, result: Any, error: EnnioError | None) -> None:
        super()._looked(look, result, error)
        if error is not None:
            self._deps.actors.tell(node_name(self._host.name), NodeDoubted())

    def pause(self) -> float:
        """Seconds until the next look, when nobody is in a hurry."""
        return max(self._pace.least, self.next_look() - time.monotonic())

    def next_look(self) -> float:
        """When the next look is due (monotonic seconds), which may have been long ago."""
        return self._begun + (self._pace.wait() if self._unawaited else self._seldom)

    def _watch(self, message: Any) -> None:
        self._awaited.discard(message.session_id)
        super()._watch(message)

    def _begins(self, now: float) -> None:
        """A look begins: what is told from now on may be later than what it sees."""
        self._begun = now
        self._told_of.clear()

    def _awaits(self, looked_at: Iterable[str], awaited: Iterable[str]) -> None:
        """A look found that of those it looked at these are waited for."""
        self._awaited -= set(looked_at)
        self._awaited |= set(awaited) - self._told_of

    @property
    def _unawaited(self) -> frozenset[str]:
        """Whom to look at as if there were no news."""
        deaf = time.monotonic() >= self._heard_until
        return frozenset(self._watched if deaf else self._watched.keys() - self._awaited)

    @property
    def _seldom(self) -> float:
        """Seconds between two looks at those that are waited for."""
        return max(self._pace.wait(), SECOND_WITNESS)
