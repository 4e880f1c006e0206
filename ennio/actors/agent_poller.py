"""Has every session read what its agent tells; the screens of those that need them come in one request.

Who is in a hurry (an agent that is just starting) is looked at between two rounds, without the others.
"""

from __future__ import annotations

import time
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
        self._hurried: set[str] = set()
        self._round_due = 0.0

    def _look_now(self, session_id: str | None) -> None:
        if session_id is None:
            self._round_due = 0.0
        else:
            self._hurried.add(session_id)
        super()._look_now(session_id)

    def pause(self) -> float:
        """Seconds until the next round, however many looks there were since the last."""
        return max(self._pace.least, self._round_due - time.monotonic())

    def look(self, watched: Mapping[str, Any]) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Whose turn it is, and one request for the screens of each runtime that has some of them which need theirs."""
        now, hurried = time.monotonic(), self._hurried
        self._hurried = set()
        if now >= self._round_due:
            self._round_due = now + self._pace.wait()
            turn = tuple(watched)
        else:
            turn = tuple(session_id for session_id in watched if session_id in hurried)
        return turn, self._shown([session_id for session_id in turn if watched[session_id].screen])

    def _shown(self, wanting: list[str]) -> Mapping[str, str]:
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
        """Everybody whose turn it is reads; who needs a screen gets it."""
        turn, screens = (tuple(self._watched), {}) if error is not None else result
        for session_id in turn:
            self._tell_session(session_id, AgentTick(screens.get(session_id)))
