"""A runtime in memory, for the tests of everything above: agents that do as they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ennio.model.errors import Conflict, NotFound, Unreachable
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import Key, LaunchSpec, Pane, View
from ennio.plugins.runtime.text import last_lines, named, pasteable


class StubRuntime:
    """Remembers what was asked of it; ``finish``, ``vanish``, ``show`` and
    ``unreachable`` play the agent's part.

    ``launches``, ``pastes`` and ``presses`` are in order of their happening,
    ``surveys`` counts them.
    """

    name = "stub"

    def __init__(self) -> None:
        self.unreachable = ""
        """Why it cannot be asked; empty when it can."""
        self.launches: list[LaunchSpec] = []
        self.pastes: list[tuple[str, str]] = []
        self.presses: list[tuple[str, Key]] = []
        self.stopped: list[str] = []
        self.surveys = 0
        self._panes: dict[str, Pane] = {}
        self._shown: dict[str, str] = {}
        self._pids = (
            1_000_000_000  # above any kernel's limit: nobody is ever mistaken for one of these
        )

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Begin a terminal, or find it."""
        self._reach()
        pane = self._panes.get(named(launch.name))
        if pane is None or pane.number != launch.number:
            if pane is not None and (not pane.dead or pane.number > launch.number):
                raise Conflict(
                    f"session {launch.name}: launch {pane.number} is in the way of launch "
                    f"{launch.number}; stop it"
                )
            self._pids += 1
            pane = self._panes[launch.name] = Pane(
                launch.name, launch.number, self._pids, dead=False
            )
            self._shown[launch.name] = ""
            self.launches.append(launch)
        data = {
            "pid": str(pane.pid),
            "started": "" if pane.dead else "1",
            "number": str(pane.number),
        }
        return RuntimeHandle(launch.name, self.name, data)

    def survey(self) -> Mapping[str, Pane]:
        """Every terminal there is."""
        self._reach()
        self.surveys += 1
        return dict(self._panes)

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """What was shown last."""
        self._reach()
        return {
            name: last_lines(self._shown[name].split("\n"), lines)
            for name in names
            if name in self._panes
        }

    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """What was shown last, the cursor behind its last letter."""
        self._reach()
        return {name: _view(self._shown[name]) for name in names if name in self._panes}

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """All that was shown."""
        self._pane(handle)
        return last_lines(self._shown[handle.id].split("\n"), lines)

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """Remember the text; it shows on the screen as if it were echoed."""
        words = pasteable(text).decode()
        self._living(handle)
        self.pastes.append((handle.id, words))
        self._shown[handle.id] += words

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """Remember the key; Ctrl-U takes away what stands behind the last ``> ``."""
        self._living(handle)
        self.presses.append((handle.id, key))
        if key is Key.CLEAR:
            self._shown[handle.id] = "".join(self._shown[handle.id].rpartition("> ")[:2])

    def stop(self, handle: RuntimeHandle) -> None:
        """End and forget the terminal."""
        self._reach()
        if self._panes.pop(handle.id, None) is not None:
            self.stopped.append(handle.id)

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """A command that only says what it stands for."""
        return ("echo", f"attached to {named(handle.id)}")

    def version(self) -> str | None:
        """Always there."""
        return "stub"

    def finish(self, name: str, *, exit_code: int | None = None, signal: int | None = None) -> None:
        """The agent ends: with a code, by a signal, or (neither) without a word."""
        self._panes[name] = replace(
            self._panes[name], dead=True, exit_code=exit_code, signal=signal
        )

    def vanish(self, name: str) -> None:
        """The terminal is gone, as after a reboot."""
        del self._panes[name]

    def show(
        self, name: str, text: str, *, title: str | None = None, at: datetime | None = None
    ) -> None:
        """The agent's screen now shows this text."""
        self._shown[name] = text
        pane = self._panes[name]
        self._panes[name] = replace(
            pane, title=pane.title if title is None else title, output_at=at or pane.output_at
        )

    def _reach(self) -> None:
        if self.unreachable:
            raise Unreachable(self.unreachable)

    def _pane(self, handle: RuntimeHandle) -> Pane:
        self._reach()
        if handle.id not in self._panes:
            raise NotFound(f"session {handle.id} has no terminal in the stub runtime")
        return self._panes[handle.id]

    def _living(self, handle: RuntimeHandle) -> None:
        if self._pane(handle).dead:
            raise NotFound(
                f"the agent of session {handle.id} has ended; nothing reads its terminal"
            )


def _view(shown: str) -> View:
    lines = tuple(shown.split("\n"))
    return View(lines, lines, len(lines[-1]), len(lines) - 1, 200)
