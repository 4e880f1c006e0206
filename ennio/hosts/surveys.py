"""What became of agents' processes, by one request to a runtime."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ennio.hosts.last_output import LastOutput
from ennio.hosts.news import HostNews
from ennio.hosts.observation import Survey
from ennio.hosts.reader import Reader
from ennio.machine import single
from ennio.model.clock import Clock
from ennio.model.facts import ProcessSeen
from ennio.model.session import RuntimeHandle
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Pane
from ennio.plugins.runtime.liveness import judged


class RuntimeSurveys:
    """See ``Host`` for each method."""

    def __init__(self, plugins: Registry, reader: Reader, news: HostNews, clock: Clock) -> None:
        self._plugins = plugins
        self._machine = plugins.machine
        self._reader = reader
        self._news = news
        self._clock = clock
        self._last_output = LastOutput()

    def survey(self, runtime: str, handles: Mapping[str, RuntimeHandle | None]) -> Survey:
        """See ``Host``."""
        at, begun = self._plugins.runtime(runtime), time.monotonic()
        with self._reader.surveying():
            panes, source, now = at.survey(), f"{at.name} survey", self._clock.now()
            seen = judged(self._machine, handles, panes, source, now)
            self._reader.surveyed(seen, begun)
        return Survey(
            self._last_output.told(at, seen, panes),
            tuple(
                name
                for name, process in seen.items()
                if self._is_awaited(name, process, panes.get(name))
            ),
        )

    def _is_awaited(self, session_id: str, process: ProcessSeen, pane: Pane | None) -> bool:
        """Whether there will be news once more becomes of a process; that
        is waited for from now on.
        """
        lives = self._news.lives(session_id, process)
        return (
            self._news.prints(session_id, pane) and lives
            if pane is not None and not pane.dead
            else lives
        )

    def terminals(self, runtime: str) -> Mapping[str, RuntimeHandle]:
        """See ``Host``."""
        return {
            name: self._handle(runtime, pane)
            for name, pane in self._plugins.runtime(runtime).survey().items()
        }

    def _handle(self, runtime: str, pane: Pane) -> RuntimeHandle:
        born = (
            single.start_of(self._machine, pane.pid)
            if pane.pid is not None and not pane.dead
            else ""
        )
        return RuntimeHandle(
            pane.name,
            runtime,
            {"pid": str(pane.pid or ""), "started": born, "number": str(pane.number)},
        )
