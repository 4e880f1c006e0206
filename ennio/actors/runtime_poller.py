"""One survey of a runtime a tick, for all the sessions in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import RuntimeObserved
from ennio.actors.poller import PollerActor
from ennio.model.errors import EnnioError
from ennio.plugins.runtime.interface import Pane


class RuntimePoller(PollerActor):
    """Tells each session what its runtime sees of it; unchanged panes are not told again."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, runtime: str) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.runtime)
        self._runtime = deps.plugins.runtime(runtime)

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, Pane]:
        """One survey."""
        return self._runtime.survey()

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """A pane that is missing is told at every look: whether its process still lives may change without it."""
        source = f"{self._runtime.name} survey"
        for session_id in tuple(self._watched):
            pane = None if error is not None else result.get(session_id)
            if pane is not None and self._told.get(session_id) == pane:
                continue
            self._told[session_id] = pane
            self._tell_session(session_id, RuntimeObserved(pane, error is None, begun, source, str(error or "")))
