"""Waits for a host's news and says to those who look there whom to look at again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.host_poller import NEWS_WITHIN
from ennio.actors.messages import (
    EffectResult,
    GetHealth,
    LookNow,
    NewsTold,
    NodeDoubted,
    Ping,
    Wake,
)
from ennio.actors.poller import Pace, SourceHealth
from ennio.actors.registry import agents_name, node_name
from ennio.hosts.interface import Host
from ennio.hosts.observation import News
from ennio.model.errors import EnnioError

FOLD = 0.1  # seconds between two words: who tells all the time is heard ten times a second


class NewsActor(Actor):
    """Asks the host for news beside its mailbox, again and again. While the host cannot be asked
    the pollers look as they did.
    """

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        host: Host,
        pollers: Sequence[str],
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._host = host
        self._pollers = pollers
        self._cursor = ""
        self._waits = False
        self._pace = Pace(1.0)
        self._health = SourceHealth()

    def on_start(self) -> None:
        """Wait from the first moment on."""
        self._wait()

    def on_receive(self, message: Any) -> Any:
        """There is news, or none within the time, or nobody to ask."""
        match message:
            case Wake():
                self._wait()
            case EffectResult(_, News() as news, _):
                self._waits = False
                self._heard(news)
            case EffectResult(_, _, EnnioError() as error):
                self._waits = False
                self._lost(error)
            case GetHealth():
                return self._health
            case Ping():
                return True
        return None

    def _wait(self) -> None:
        cursor = self._cursor
        if self._waits:
            return
        self._waits = True
        # who was lost is soon told to be there again
        within = min(1.0, NEWS_WITHIN) if self._pace.failures else NEWS_WITHIN
        self.perform("news", lambda: self._host.news(cursor, within))

    def _heard(self, news: News) -> None:
        self._cursor, self._pace.failures = news.cursor, 0
        self._health.looked(self._deps.clock.now(), news.trouble)
        self._tell(NewsTold(news.sessions, everybody=news.everybody))
        for session_id in news.notified:  # nobody waits for them: they are looked at by the clock
            self._deps.actors.tell(agents_name(self._host.name), LookNow(session_id))
        self.later(FOLD if news.sessions else 0.0, Wake())

    def _lost(self, error: EnnioError) -> None:
        self._pace.failures += 1
        self._health.looked(self._deps.clock.now(), str(error))
        self._tell(NewsTold(waits=False))
        self._deps.actors.tell(node_name(self._host.name), NodeDoubted())
        self.later(self._pace.wait(), Wake())

    def _tell(self, told: NewsTold) -> None:
        for name in self._pollers:
            self._deps.actors.tell(name, told)
