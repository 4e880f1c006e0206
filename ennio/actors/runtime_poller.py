"""One survey of a runtime a tick, for all the sessions in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.host_poller import HostPoller
from ennio.actors.messages import RuntimeObserved
from ennio.hosts.interface import Host, Survey
from ennio.model.errors import EnnioError
from ennio.model.facts import ProcessSeen


class RuntimePoller(HostPoller):
    """Tells each session what became of its agent's process; who was seen to be as
    before is not told again.
    """

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        runtime: str,
        host: Host,
    ) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.runtime, host)
        self._runtime = runtime
        self._looked_at = deps.clock.now()

    def turn(self, now: float) -> Mapping[str, Any]:
        """Everybody: a survey is one request however many there are."""
        self._begins(now)
        self._looked_at = self._deps.clock.now()
        return super().turn(now)

    def look(self, watched: Mapping[str, Any]) -> Survey:
        """One survey."""
        return self._host.survey(
            self._runtime, {session_id: watch.handle for session_id, watch in watched.items()}
        )

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Who came while the survey was under way is told of by the next; a survey that
        failed makes all unknown.
        """
        self._awaits(self._watched, result.awaited if error is None else ())
        for session_id, watch in tuple(self._watched.items()):
            if error is None:
                seen = result.processes.get(session_id)
            else:
                seen = ProcessSeen.unseen(
                    watch.handle, self._deps.clock.now(), f"{self._runtime} survey", str(error)
                )
            if seen is None or self._told.get(session_id) == seen:
                continue
            if error is None:  # by our clock, and no later than what it saw
                seen = replace(seen, at=self._looked_at)
            self._told[session_id] = seen
            self._tell_session(session_id, RuntimeObserved(seen, begun))
