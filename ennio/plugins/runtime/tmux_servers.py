"""The tmux server of one configuration, and the one that all of a home shared in older versions, as
long as anything is on that.

An agent stays on the server it was started on. Every new one is started on the configuration's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ennio.machine.questions import Questions
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalShot
from ennio.plugins.runtime.interface import Key, LaunchSpec, Pane, TerminalStream, View
from ennio.plugins.runtime.tmux import TmuxRuntime


class TmuxServers:
    """See ``Runtime``. Both are asked until a survey has proven that nothing
    is left on the shared one.
    """

    name = TmuxRuntime.name

    def __init__(self, own: TmuxRuntime, shared: TmuxRuntime) -> None:
        self._own = own
        self._shared: TmuxRuntime | None = shared
        self._there: frozenset[str] | None = None
        """Who is on the shared one: whoever was at the first look, since nothing
        is started there any more.
        """

    def insist(self) -> None:
        """See ``DemandingRuntime``."""
        self._own.insist()

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Start the agent on the configuration's own server, or find it on either."""
        return self._of(launch.name).start(launch)

    def survey(self) -> Mapping[str, Pane]:
        """Every terminal of both, by one request to each."""
        own, shared = self._own.survey(), self._shared
        if shared is None:
            return own
        found = shared.survey()
        if not found:
            self._shared, self._there = None, frozenset()
            shared.shutdown()
            return own
        if self._there is None:
            self._there = frozenset(found)
        return {**{name: pane for name, pane in found.items() if name in self._there}, **own}

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """The visible lines of these, by one request to each server that has some of them."""
        return {
            name: text
            for runtime, of in self._shares(names)
            for name, text in runtime.screens(of, lines).items()
        }

    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """The whole screens, in the same way."""
        return {
            name: view
            for runtime, of in self._shares(names)
            for name, view in runtime.views(of).items()
        }

    def foreseen(self, name: str) -> Questions:
        """See ``ForeseeableRuntime``."""
        return self._of(name).foreseen(name)

    def foreseen_survey(self) -> Questions:
        """See ``ForeseeableRuntime``; of the configuration's own server."""
        return self._own.foreseen_survey()

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """See ``Runtime.output``."""
        return self._of(handle.id).output(handle, lines)

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """See ``Runtime.paste``."""
        self._of(handle.id).paste(handle, text)

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """See ``Runtime.press``."""
        self._of(handle.id).press(handle, key)

    def stop(self, handle: RuntimeHandle) -> None:
        """See ``Runtime.stop``."""
        self._of(handle.id).stop(handle)

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """The command that attaches to the server it is on."""
        return self._of(handle.id).attach_command(handle)

    def open_stream(self, handle: RuntimeHandle) -> TerminalStream:
        """See ``WatchableRuntime``."""
        return self._of(handle.id).open_stream(handle)

    def shot(self, handle: RuntimeHandle, history: int) -> TerminalShot:
        """See ``WatchableRuntime``."""
        return self._of(handle.id).shot(handle, history)

    def type(self, handle: RuntimeHandle, data: bytes, *, paste: bool) -> None:
        """See ``WatchableRuntime``."""
        self._of(handle.id).type(handle, data, paste=paste)

    def resize(self, handle: RuntimeHandle, columns: int, rows: int) -> None:
        """See ``WatchableRuntime``."""
        self._of(handle.id).resize(handle, columns, rows)

    def version(self) -> str | None:
        """See ``Runtime.version``."""
        return self._own.version()

    def shutdown(self) -> None:
        """End the kept clients; agents and their servers go on."""
        for runtime in (self._own, self._shared):
            if runtime is not None:
                runtime.shutdown()

    def _of(self, name: str) -> TmuxRuntime:
        """The server that a terminal is on, or will be."""
        if self._there is None:
            self.survey()
        shared = self._shared
        return shared if shared is not None and name in (self._there or ()) else self._own

    def _shares(self, names: Sequence[str]) -> list[tuple[TmuxRuntime, list[str]]]:
        shares: dict[int, tuple[TmuxRuntime, list[str]]] = {}
        for name in names:
            runtime = self._of(name)
            shares.setdefault(id(runtime), (runtime, []))[1].append(name)
        return list(shares.values())
