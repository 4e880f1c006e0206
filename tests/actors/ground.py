"""A house of real actors and a real store over stub plugins, on a clock that stands
still until told to move.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.forge_poller import ForgePoller
from ennio.actors.host_poller import AgentPoller, RuntimePoller
from ennio.actors.merger import MergeActor
from ennio.actors.messages import CrashForTest, LookNow, Ping, Wake
from ennio.actors.notifier import NotifierActor
from ennio.actors.orchestrator import Orchestrator
from ennio.actors.queue import QueueActor
from ennio.actors.reaction import ReactionActor
from ennio.actors.registry import (
    AGENTS,
    MERGES,
    NOTICES,
    QUEUE,
    REACTIONS,
    ROOT,
    ActorRegistry,
    forge_name,
    runtime_name,
    session_name,
)
from ennio.actors.root import RootSupervisor, Start
from ennio.actors.spawning import SpawnRequest
from ennio.config.model import Config, Defaults, NotifierConfig, PluginChoice, Poll, Project
from ennio.config.reactions import merged
from ennio.hosts.plugin_host import PluginHost
from ennio.locks import in_a_thread
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.message import Message
from ennio.model.session import Activity, Session, SessionStatus
from ennio.plugins.notifier.stub import StubNotifier
from tests import made_database
from tests.actors.stubs import Agent, Folders, Forge, Hooks, Shelf, Terminals
from tests.conftest import eventually


def project(path: Path, **changes: Any) -> Project:
    """A project on stub plugins with the built-in reactions."""
    given = changes.pop("reactions", {})
    plain: dict[str, Any] = {
        "id": "play",
        "name": "play",
        "repo": "stub",
        "path": path,
        "session_prefix": "p",
        "runtime": "stub",
        "agent": "stub",
        "workspace": "stub",
        "forge": PluginChoice("stub"),
        "reactions": merged(given),
        "config_hash": "beef",
    }
    return Project(**(plain | changes))


@dataclass(slots=True)
class Stage:
    """A running house and the strings to pull."""

    deps: Dependencies
    orchestrator: Orchestrator
    root: pykka.ActorRef[Any]
    clock: ManualClock
    runtime: Terminals
    agent: Agent
    workspace: Folders
    forge: Forge
    notifiers: dict[str, StubNotifier]
    hooks: Hooks

    # --- doing ------------------------------------------------------------------------------------

    def spawn(self, prompt: str = "Do it", **more: Any) -> str:
        return self.orchestrator.sessions.spawn(SpawnRequest("play", prompt=prompt, **more)).id

    def launched(self, prompt: str = "Do it", **more: Any) -> str:
        """A session whose agent has been started and says nothing yet."""
        session_id = self.spawn(prompt, **more)
        eventually(lambda: self.session(session_id).runtime_handle)
        return session_id

    def working(self, prompt: str = "Do it", **more: Any) -> str:
        """A session whose agent has taken its prompt and works."""
        session_id = self.launched(prompt, **more)
        self.settle_in(session_id)
        return session_id

    def settle_in(self, session_id: str) -> None:
        """The agent begins with its prompt."""
        self.says(session_id, Activity.ACTIVE, ready=True)
        self.until(session_id, SessionStatus.WORKING)
        eventually(lambda: [m.state.value for m in self.messages(session_id)][:1] == ["delivered"])

    def says(self, session_id: str, activity: Activity, **more: Any) -> None:
        self.agent.says(
            session_id, self.clock.now(), activity=activity, since=self.clock.now(), **more
        )

    def rests(self, session_id: str) -> None:
        """The agent has ended its turn and takes words."""
        self.says(session_id, Activity.READY, ready=True)
        eventually(lambda: self.session(session_id).activity is Activity.READY)

    def pull(self, session_id: str) -> int:
        """The session's agent has pushed; the forge has opened a pull request."""
        self.forge.push(self.branch(session_id))
        self.rests(session_id)
        number = eventually(lambda: self.session(session_id).pr_number)
        assert isinstance(number, int)
        return number

    def pass_time(self, seconds: float) -> None:
        """The clock goes on, and everybody who waits for a moment looks at it."""
        self.clock.advance(seconds)
        for name in self.deps.actors.names():
            if name != ROOT:
                self.deps.actors.tell(name, Wake())

    def look(self) -> None:
        """Two whole looks of every source: what is true now has been told after it."""
        names = [
            runtime_name("stub"),
            AGENTS,
            *([forge_name("play")] if self.deps.actors.ref(forge_name("play")) else []),
        ]
        before = {name: self.orchestrator.supervisor.health()[name].looks for name in names}
        for _ in range(2):
            for name in names:
                self.deps.actors.tell(name, LookNow())
        eventually(
            lambda: all(
                self.orchestrator.supervisor.health()[name].looks >= before[name] + 2
                for name in names
            )
        )
        self.quiet()

    def quiet(self) -> None:
        """Everybody has worked off what was in the mailbox."""
        for _ in range(3):
            for name in self.deps.actors.names():
                ref = self.deps.actors.ref(name)
                if ref is not None and ref.is_alive():
                    ref.ask(Ping(), timeout=30)

    def crash(self, name: str) -> None:
        """One actor ends by a bug and is restarted."""
        before = self.deps.actors.ref(name)
        assert before is not None
        before.tell(CrashForTest()) if name.startswith("session:") else kill(before)
        eventually(
            lambda: self.alive(name) and self.deps.actors.ref(name) is not before,
            why=f"{name} is back",
        )

    def crash_session(self, session_id: str) -> None:
        self.crash(session_name(session_id))

    # --- seeing -----------------------------------------------------------------------------------

    def alive(self, name: str) -> bool:
        ref = self.deps.actors.ref(name)
        return ref is not None and ref.is_alive()

    def session(self, session_id: str) -> Session:
        return self.deps.store.sessions.need(session_id)

    def until(self, session_id: str, *statuses: SessionStatus) -> Session:
        found = eventually(
            lambda: (s := self.session(session_id)).status in statuses and s,
            why=f"{session_id} is {statuses}; events: {self.words(session_id)[-5:]}",
        )
        assert isinstance(found, Session)
        return found

    def branch(self, session_id: str) -> str:
        branch = eventually(lambda: self.session(session_id).branch)
        assert isinstance(branch, str)
        return branch

    def messages(self, session_id: str) -> list[Message]:
        return list(self.deps.store.messages.list(session_id))

    def told(self, session_id: str, reaction: str) -> list[Message]:
        return [message for message in self.messages(session_id) if message.reaction == reaction]

    def types(self, session_id: str) -> list[str]:
        return [
            str(event.event_type)
            for event in self.deps.store.events.list_by_session(session_id, limit=10_000)
        ]

    def words(self, session_id: str) -> list[str]:
        return [
            event.message
            for event in self.deps.store.events.list_by_session(session_id, limit=10_000)
        ]


def kill(ref: pykka.ActorRef[Any]) -> None:
    """End the greenlet of an actor from outside."""
    greenlet_of(ref).kill(block=False)


def greenlet_of(ref: pykka.ActorRef[Any]) -> gevent.Greenlet:
    actor = ref._actor_weakref()
    assert actor is not None
    greenlet = actor._greenlet
    assert isinstance(greenlet, gevent.Greenlet)
    return greenlet


@dataclass(slots=True)
class Play:
    """Everything that outlives the actors: a house can be opened over it more than once."""

    root: Path
    settings: dict[str, Any] = field(default_factory=dict)
    agent: Agent = field(default_factory=Agent)
    clock: ManualClock = field(default_factory=ManualClock)
    hooks: Hooks = field(default_factory=dict)
    notifiers: dict[str, StubNotifier] = field(default_factory=dict)
    runtime: Terminals = field(init=False)
    workspace: Folders = field(init=False)
    forge: Forge = field(init=False)

    def __post_init__(self) -> None:
        self.runtime = Terminals(self.hooks, self.clock)
        self.runtime.agent = self.agent
        self.workspace = Folders(self.hooks, self.clock)
        self.forge = Forge(self.hooks, self.clock)

    def config(self) -> Config:
        mine = dict(self.settings)
        of_project = mine.pop("project", {})
        plain: dict[str, Any] = {
            "source": self.root / "ennio.yaml",
            "directory": self.root,
            "projects": (project(**({"path": self.root} | of_project)),),
            "poll": Poll(0.02, 0.02, 0.02),
            "min_free_memory": 0,
            "ready_threshold": 0.0,
            "notifiers": (NotifierConfig("stub", "bell", {}),),
            "defaults": Defaults(notifiers=("bell",)),
        }
        return Config(**(plain | mine))

    @contextmanager
    def opened(self) -> Iterator[Stage]:
        """The house, from start to stop; agents and the store's file outlive it."""
        config, home = self.config(), Home(self.root / "home")
        store = made_database.opened(self.root, self.clock)
        shelf = Shelf(
            home,
            self.clock,
            agent=self.agent,
            runtime=self.runtime,
            workspace=self.workspace,
            forge=self.forge,
            notifiers=self.notifiers,
        )
        deps = Dependencies(
            config,
            home,
            self.clock,
            store,
            shelf,
            ActorRegistry(),
            PluginHost(shelf, home, self.clock, apart=in_a_thread),
        )
        feed = Feed(store)
        root = RootSupervisor.start(deps, fixed(deps))
        root.ask(Ping(), timeout=30)
        orchestrator = Orchestrator.of(deps, feed, self.clock.now(), lambda: None)
        try:
            yield Stage(
                deps,
                orchestrator,
                root,
                self.clock,
                self.runtime,
                self.agent,
                self.workspace,
                self.forge,
                self.notifiers,
                self.hooks,
            )
        finally:
            root.stop(timeout=30)
            eventually(lambda: not pykka.ActorRegistry.get_all(), why="every actor has ended")
            feed.close()
            store.close()

    def forget(self) -> None:
        """Remove everything that was written down."""
        for path in self.root.glob("ennio.db*"):
            path.unlink()
        shutil.rmtree(self.root / "home", ignore_errors=True)


def fixed(deps: Dependencies) -> list[tuple[str, Start]]:
    """Who is always there, over the stub runtime alone."""

    def starting(kind: Any, name: str, watcher: Any, *args: Any) -> pykka.ActorRef[Any]:
        return kind.start(deps, name, watcher, *args)

    children: list[tuple[str, Start]] = [
        (NOTICES, partial(starting, NotifierActor)),
        (MERGES, partial(starting, MergeActor)),
        (REACTIONS, partial(starting, ReactionActor)),
        (
            runtime_name("stub"),
            lambda name, watcher: RuntimePoller.start(
                deps, name, watcher, "stub", deps.this_machine
            ),
        ),
        (AGENTS, lambda name, watcher: AgentPoller.start(deps, name, watcher, deps.this_machine)),
    ]
    children += [
        (
            forge_name(one.id),
            lambda name, watcher, of=one.id: ForgePoller.start(deps, name, watcher, of),
        )
        for one in deps.config.projects
        if one.forge is not None
    ]
    return [*children, (QUEUE, partial(starting, QueueActor))]
