"""Has every session read what its agent tells; the screens of those that need them come in one request.

Who is in a hurry (an agent that is just starting) is looked at between two rounds, without the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.effects import runtime_of
from ennio.actors.messages import ReadAgent, WatchWorkspace, WorkspaceObserved
from ennio.actors.poller import PollerActor
from ennio.model.errors import EnnioError, Unreachable
from ennio.plugins.workspace.interface import Glance, Glanceable


@dataclass(frozen=True, slots=True)
class LookSchedule:
    """When everybody is next (monotonic seconds), and who is in too much of a hurry to wait for that."""

    due: float = 0.0
    expedited: frozenset[str] = frozenset()

    def expedite(self, session_id: str | None) -> LookSchedule:
        """The same with this session in a hurry; with everybody, when it is None."""
        return LookSchedule(0.0, self.expedited) if session_id is None else replace(self, expedited=self.expedited | {session_id})

    def take(self, watched: Iterable[str], now: float, wait: float) -> tuple[tuple[str, ...], LookSchedule]:
        """Whose turn it is now, and the turns after that; the next round is ``wait`` seconds after this one."""
        if now >= self.due:
            return tuple(watched), LookSchedule(now + wait)
        return tuple(session_id for session_id in watched if session_id in self.expedited), LookSchedule(self.due)


class AgentPoller(PollerActor):
    """Ticks for the agents' own files, which each session reads for itself without a process or request."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.agent)
        self._looks = LookSchedule()
        self._turn: tuple[str, ...] = ()
        self._runtimes: dict[str, str] = {}
        self._places: Mapping[str, Glance] = {}
        self._places_due = 0.0

    def _look_now(self, session_id: str | None) -> None:
        self._looks = self._looks.expedite(session_id)
        super()._look_now(session_id)

    def pause(self) -> float:
        """Seconds until the next round, however many looks there were since the last."""
        return max(self._pace.least, self._looks.due - time.monotonic())

    def turn(self, now: float) -> Mapping[str, Any]:
        """Everybody when a round is due, else who is in a hurry."""
        self._turn, self._looks = self._looks.take(self._watched, now, self._pace.wait())
        if len(self._runtimes) > len(self._watched):
            self._runtimes = {session_id: name for session_id, name in self._runtimes.items() if session_id in self._watched}
        return {session_id: self._watched[session_id] for session_id in self._turn}

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, str]:
        """One request for the screens of each runtime that has some of those which need theirs."""
        by_runtime: dict[str, list[str]] = {}
        for session_id, watch in watched.items():
            name = self._runtime(session_id) if watch.screen else None
            if name is not None:
                by_runtime.setdefault(name, []).append(session_id)
        screens: dict[str, str] = {}
        for name, session_ids in by_runtime.items():
            screens.update(self._screens(name, session_ids))
        self._places = self._glances(watched)
        return screens

    def _glances(self, watched: Mapping[str, Any]) -> Mapping[str, Glance]:
        """The working copies of all at a glance, no more often than a runtime is looked at; who cannot be told of is not in it."""
        if time.monotonic() < self._places_due or len(watched) < len(self._watched):
            return {}
        self._places_due = time.monotonic() + self._deps.config.poll.runtime
        seen = {session_id: self._glance(watch.place) for session_id, watch in watched.items() if watch.place is not None}
        return {session_id: glance for session_id, glance in seen.items() if glance is not None}

    def _glance(self, place: WatchWorkspace) -> Glance | None:
        workspace = self._deps.plugins.workspace(place.kind)
        return workspace.glance(place.path, place.branch, place.source) if isinstance(workspace, Glanceable) else None

    def _runtime(self, session_id: str) -> str | None:
        """The runtime that has the session's terminal: always the same from its first launch on, so the store is asked until then."""
        if session_id not in self._runtimes:
            session = self._deps.store.sessions.get(session_id)
            if session is None or session.runtime_handle is None:
                return None
            self._runtimes[session_id] = runtime_of(self._deps, session).name
        return self._runtimes[session_id]

    def _screens(self, runtime: str, session_ids: list[str]) -> Mapping[str, str]:
        try:
            return self._deps.plugins.runtime(runtime).screens(session_ids)
        except Unreachable:
            return {}  # a screen that was not seen says nothing

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Everybody whose turn it was reads, also when the screens could not be asked for; who needs a screen gets it."""
        screens = {} if error is not None else result
        for session_id, glance in self._places.items():
            if session_id in self._watched and self._told.get(session_id) != glance:
                self._told[session_id] = glance
                self._tell_session(session_id, WorkspaceObserved(glance.place, glance.where, glance.elsewhere))
        self._places = {}
        for session_id in self._turn:
            self._tell_session(session_id, ReadAgent(screens.get(session_id)))
