"""Finds plugins by slot and name: entry points ``ennio.<slot>``, ours and anybody's.

An entry point names a factory that takes a ``PluginContext`` and returns the plugin. Runtimes,
workspaces, terminals and predictors are made once for all; agents, trackers and forges once per
project.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ennio.config.model import AgentConfig, PluginChoice, Project, Settings
from ennio.machine.home import Home
from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.model.clock import Clock
from ennio.model.errors import ConfigError, Problem
from ennio.model.failpoints import failpoint, guarded
from ennio.model.local_forge import ForgeStore
from ennio.model.nearest import nearest
from ennio.model.plugin_names import offered
from ennio.plugins.agent.interface import Agent
from ennio.plugins.entry_points import entry_points
from ennio.plugins.forge.interface import Forge
from ennio.plugins.notifier.interface import Notifier
from ennio.plugins.observed import PluginCalls, observed
from ennio.plugins.predictor.interface import Predictor
from ennio.plugins.runtime.interface import Runtime
from ennio.plugins.terminal.interface import Terminal
from ennio.plugins.tracker.interface import Tracker
from ennio.plugins.workspace.interface import Workspace


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a factory may build from.

    ``project`` is there for trackers and forges, ``agent_config`` and ``env`` (what the project
    adds to the environment) for agents; ``settings`` are what the plugin's declaration made of
    those configured for it, or, without one, the mapping as it is written; ``directory`` is what
    relative paths in a configuration are relative to, ``instance`` the name that what it starts is
    told apart by from that of others, ``name`` what a notifier is called. ``machine`` is where
    agents, runtimes and workspaces have their files, programs and processes: they reach for none
    by themselves.
    """

    home: Home
    clock: Clock
    store: ForgeStore | None = None
    project: Project | None = None
    settings: Any = field(default_factory=dict)
    directory: Path | None = None
    instance: str = ""
    name: str = ""
    agent_config: AgentConfig = field(default_factory=AgentConfig)
    env: Mapping[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=LocalMachine)


Factory = Callable[[PluginContext], Any]
_INTERFACES: Mapping[str, type] = {
    "agent": Agent,
    "notifier": Notifier,
    "predictor": Predictor,
    "runtime": Runtime,
    "scm": Forge,
    "terminal": Terminal,
    "tracker": Tracker,
    "workspace": Workspace,
}


def installed(slot: str) -> tuple[str, ...]:
    """The names of the plugins of a slot that can be used in this version."""
    return tuple(sorted(point.name for point in entry_points(slot)))


class Registry:
    """The plugins of one running supervisor. Raises ConfigError for a name nobody provides."""

    def __init__(
        self,
        home: Home,
        clock: Clock,
        store: ForgeStore | None = None,
        directory: Path | None = None,
        instance: str = "",
        machine: Machine | None = None,
    ) -> None:
        self.machine: Machine = machine or LocalMachine()
        self._base = PluginContext(
            home, clock, store, directory=directory, instance=instance, machine=self.machine
        )
        self._made: dict[tuple[str, str, str], Any] = {}
        self._making = threading.RLock()
        self.calls = PluginCalls()

    def agent(
        self, name: str, project_id: str, config: AgentConfig, env: Mapping[str, str]
    ) -> Agent:
        """The agent of this name, as the project wants it."""

        def context() -> PluginContext:
            return replace(self._base, settings=config.passthrough, agent_config=config, env=env)

        return cast("Agent", self._get("agent", name, project_id, context))

    def runtime(self, name: str) -> Runtime:
        """The runtime of this name."""
        return cast("Runtime", self._get("runtime", name, "", lambda: self._base))

    def workspace(self, name: str) -> Workspace:
        """The workspace plugin of this name."""
        return cast("Workspace", self._get("workspace", name, "", lambda: self._base))

    def workspace_on(self, name: str, machine: Machine) -> Workspace:
        """The same on another machine, or on this one as another sees it; made anew."""
        context = replace(self._base, machine=machine)
        built = guarded(self._build("workspace", name, "", context), "workspace", Workspace)
        return cast("Workspace", observed(built, "workspace", name, Workspace, self.calls))

    def terminal(self, name: str) -> Terminal:
        """The terminal plugin of this name."""
        return cast("Terminal", self._get("terminal", name, "", lambda: self._base))

    def predictor(self, name: str) -> Predictor:
        """The predictor of this name."""
        return cast("Predictor", self._get("predictor", name, "", lambda: self._base))

    def notifier(self, plugin: str, name: str, settings: Settings) -> Notifier:
        """The channel of this name."""

        def context() -> PluginContext:
            return replace(self._base, settings=settings, name=name)

        return cast("Notifier", self._get("notifier", plugin, name, context))

    def tracker(self, project: Project) -> Tracker | None:
        """The project's tracker, or None when it has none."""
        return cast("Tracker | None", self._chosen("tracker", project, project.tracker))

    def forge(self, project: Project) -> Forge | None:
        """The project's forge, or None when it has none."""
        return cast("Forge | None", self._chosen("scm", project, project.forge))

    def close(self) -> None:
        """End what plugins keep running for themselves."""
        for plugin in tuple(self._made.values()):
            _end(plugin)
        self._made.clear()

    def _chosen(self, slot: str, project: Project, choice: PluginChoice | None) -> Any:
        if choice is None:
            return None

        def context() -> PluginContext:
            return replace(self._base, project=project, settings=choice.config)

        return self._get(slot, choice.plugin, project.id, context)

    def _get(self, slot: str, name: str, whose: str, context: Callable[[], PluginContext]) -> Any:
        """The plugin of this name; what it is made of is put together only when it is made, since
        it is asked for at every look.
        """
        key = (slot, name, whose)
        made = self._made.get(key)
        if made is None:
            with self._making:  # two of them would not know of each other what each has seen
                made = self._made.get(key)
                if made is None:
                    built = guarded(
                        self._build(slot, name, whose, context()), slot, _INTERFACES[slot]
                    )
                    made = self._made[key] = observed(
                        built, slot, name, _INTERFACES[slot], self.calls
                    )
        return made

    def _build(self, slot: str, name: str, whose: str, context: PluginContext) -> Any:
        del whose
        return factory(slot, name)(context)


def factory(slot: str, name: str) -> Factory:
    """The factory behind a name. Raises ConfigError naming those there are."""
    points = entry_points(slot, name)
    if not points:
        there = offered(installed(slot))
        near = nearest(name, there)
        meant = f", did you mean {near!r}?" if near else ";"
        names = ", ".join(there) or "none at all (is ennio installed?)"
        words = f"there is no {slot} plugin {name!r} in this version{meant} there are: {names}"
        raise ConfigError("plugins", [Problem(slot, words)])
    return cast("Factory", points[0].load())


@failpoint(
    "plugin.shutdown", because="a process that is killed does none of it: the next cleans up"
)
def _end(plugin: Any) -> None:
    shutdown = getattr(plugin, "shutdown", None)
    if shutdown is not None:
        shutdown()
