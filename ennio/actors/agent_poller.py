"""Has every session read what its agent tells; the screens of those that need them come in one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pykka

from ennio.actors.deeds import runtime_of
from ennio.actors.parts import Parts
from ennio.actors.poller import PollerActor
from ennio.errors import EnnioError, Unreachable
from ennio.messages import AgentTick


class AgentPoller(PollerActor):
    """Ticks for the agents' own files, which each session reads for itself without a process or request."""

    def __init__(self, parts: Parts, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(parts, name, watcher, parts.config.poll.agent)

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, str]:
        """One request for the screens of each runtime that has sessions which need theirs."""
        wanting = [session_id for session_id, watch in watched.items() if watch.screen]
        by_runtime: dict[str, list[str]] = {}
        for session_id in wanting:
            session = self._parts.store.sessions.get(session_id)
            if session is not None and session.runtime_handle is not None:
                by_runtime.setdefault(runtime_of(self._parts, session).name, []).append(session_id)
        screens: dict[str, str] = {}
        for name, session_ids in by_runtime.items():
            screens.update(self._screens(name, session_ids))
        return screens

    def _screens(self, runtime: str, session_ids: list[str]) -> Mapping[str, str]:
        try:
            return self._parts.plugins.runtime(runtime).screens(session_ids)
        except Unreachable:
            return {}  # a screen that was not seen says nothing

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Everybody reads; who needs a screen gets it."""
        screens = {} if error is not None else result
        for session_id in tuple(self._watched):
            self._tell_session(session_id, AgentTick(screens.get(session_id)))
