"""Stub plugins with strings to pull: agents that take what is entered, deeds to hook
into, a forge that counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ennio.config.model import AgentConfig, Project, Settings
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.clock import ManualClock
from ennio.model.facts import ForgeSeen, ProcessSeen
from ennio.model.pulls import Check, CheckState, MergeMethod
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import AgentContext, Reading
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.forge.interface import Merged, Watch
from ennio.plugins.forge.stub import StubForge
from ennio.plugins.notifier.stub import StubNotifier
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Key, LaunchSpec
from ennio.plugins.runtime.stub import StubRuntime
from ennio.plugins.workspace.interface import Created, Removed, WorkspaceSpec
from ennio.plugins.workspace.stub import StubWorkspace

Hooks = dict[str, Callable[[str], None]]
"""What happens right after a deed has happened in the world, by the deed's
name; given the session's id.
"""


class Terminals(StubRuntime):
    """Terminals whose agents take what is entered, unless they are ``deaf``."""

    def __init__(self, hooks: Hooks, clock: ManualClock) -> None:
        super().__init__()
        self.hooks = hooks
        self.clock = clock
        self.agent: Agent | None = None
        self.deaf = False
        self._typed: dict[str, str] = {}

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        began = len(self.launches)
        handle = super().start(launch)
        words = Path(launch.argv[1]).read_text(encoding="utf-8")
        assert self.agent is not None
        if len(self.launches) > began and self.agent.carries and words and not self.deaf:
            self.agent.took(launch.name, self.clock.now(), words)
        _after(self.hooks, "start", launch.name)
        return handle

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        super().paste(handle, text)
        self._typed[handle.id] = text
        _after(self.hooks, "paste", handle.id)

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        super().press(handle, key)
        if key is Key.CLEAR:
            self._typed.pop(handle.id, None)
        if key is Key.ENTER and not self.deaf and handle.id in self._typed:
            assert self.agent is not None
            self.agent.took(handle.id, self.clock.now(), self._typed.pop(handle.id))
            self.show(handle.id, "")
        if key is Key.ENTER:
            _after(self.hooks, "enter", handle.id)

    def stop(self, handle: RuntimeHandle) -> None:
        super().stop(handle)
        _after(self.hooks, "stop", handle.id)

    def pasted(self, session_id: str) -> list[str]:
        """What was typed into one session's terminal."""
        return [text for name, text in self.pastes if name == session_id]


class Agent(StubAgent):
    """An agent whose reading costs nothing when there is nothing new, and waits
    where its disk is ``slow``.
    """

    slow: threading.Event | None = None
    waits = False

    def observe(
        self,
        desk: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: Any,
    ) -> Reading:
        if self.slow is not None:
            self.waits = True
            self.slow.wait(60)  # as the system waits, with all its greenlets
        return Reading(super().observe(desk, cursor, process, screen, now).seen, {})


class Folders(StubWorkspace):
    """Working copies with something to hook into."""

    def __init__(self, hooks: Hooks, clock: ManualClock) -> None:
        super().__init__(LocalMachine(), clock)
        self.hooks = hooks
        self.made: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}

    def create(self, order: WorkspaceSpec) -> Created:
        self.before.get("create", _nothing)()
        made = super().create(order)
        self.made.append(order.session_id)
        _after(self.hooks, "create", order.session_id)
        return made

    def prepare(self, order: WorkspaceSpec) -> None:
        self.before.get("prepare", _nothing)()
        super().prepare(order)
        _after(self.hooks, "prepare", order.session_id)

    def remove(self, order: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        removed = super().remove(order, dry_run=dry_run)
        if not dry_run:
            _after(self.hooks, "remove", order.session_id)
        return removed


class Forge(StubForge):
    """A forge that counts what it is asked."""

    def __init__(self, hooks: Hooks, clock: ManualClock) -> None:
        super().__init__(clock)
        self.hooks = hooks
        self.surveys = 0
        self.merges: list[tuple[int, str]] = []
        self.before: dict[str, Callable[[], None]] = {}

    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        self.surveys += 1
        self.before.get("survey", _nothing)()
        return super().survey(watches)

    def merge(
        self,
        number: int,
        expected_head: str,
        method: MergeMethod | None = None,
        *,
        force: bool = False,
    ) -> Merged:
        merged = super().merge(number, expected_head, method, force=force)
        self.merges.append((number, expected_head))
        _after(self.hooks, "merge", str(number))
        return merged

    def checks(self, number: int, state: CheckState, log: str = "assert 1 == 2") -> None:
        """The one check of the head ends, or is pending."""
        head = self.look(number).head
        self.report(
            number,
            Check(
                f"{head}:test",
                "test",
                state,
                f"stub://checks/{head[:8]}",
                log if state is CheckState.FAILING else "",
            ),
        )


def _nothing() -> None:
    """No hook."""


def _after(hooks: Hooks, action: str, session_id: str) -> None:
    hook = hooks.pop(action, None)
    if hook is not None:
        hook(session_id)


class Shelf(Registry):
    """The plugins of the test, whatever name they are asked by."""

    def __init__(self, home: Home, clock: ManualClock, **plugins: Any) -> None:
        super().__init__(home, clock)
        self.plugins = plugins

    def agent(self, name: str, project_id: str, config: AgentConfig, env: Mapping[str, str]) -> Any:
        return self.plugins["agent"]

    def runtime(self, name: str) -> Any:
        return self.plugins["runtime"]

    def workspace(self, name: str) -> Any:
        return self.plugins["workspace"]

    def tracker(self, project: Project) -> Any:
        return None

    def forge(self, project: Project) -> Any:
        return self.plugins["forge"] if project.forge is not None else None

    def notifier(self, plugin: str, name: str, settings: Settings) -> Any:
        return self.plugins["notifiers"].setdefault(name, StubNotifier(name))
