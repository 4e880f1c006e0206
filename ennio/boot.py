"""The only file that knows everyone: configuration -> lock -> store -> plugins -> actors -> house. Stops in reverse."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pykka

from ennio import logs
from ennio.actors.agent_poller import AgentPoller
from ennio.actors.exchange import AGENTS, ASK_TIMEOUT, MERGES, NOTICES, QUEUE, REACTIONS, Exchange, forge_name, runtime_name, tracker_name
from ennio.actors.feed import Feed
from ennio.actors.forge_poller import ForgePoller
from ennio.actors.house import House
from ennio.actors.merger import MergeActor
from ennio.actors.notifier import NotifierActor
from ennio.actors.parts import Parts
from ennio.actors.queue import QueueActor
from ennio.actors.reaction import ReactionActor
from ennio.actors.root import RootSupervisor, Start
from ennio.actors.runtime_poller import RuntimePoller
from ennio.actors.tracker import TrackerActor
from ennio.clock import SystemClock
from ennio.config.load import load
from ennio.config.model import Config, Project
from ennio.config.secrets import secrets
from ennio.errors import Conflict
from ennio.home import Home, private
from ennio.messages import Ping
from ennio.plugins.registry import Registry, installed
from ennio.plugins.shipped import known
from ennio.store import open_store

log = logging.getLogger(__name__)

PATIENCE = 5.0


@dataclass(slots=True)
class Running:
    """A house that runs in this process."""

    house: House
    root: pykka.ActorRef[Any]
    lock: IO[str]

    def stop(self) -> None:
        """End actors, plugins, store and lock, in this order; agents go on."""
        self.root.stop(timeout=ASK_TIMEOUT)
        self.house.feed.close()
        self.house.parts.plugins.close()
        self.house.store.close()
        self.lock.close()


def take_lock(config: Config, home: Home) -> IO[str]:
    """The lock of the state the configuration names, for this process alone. Raises Conflict saying who holds it.

    It lies beside the database, so that two configurations on one database are seen as one.
    """
    path = _lock_path(config, home)
    private(path.parent) if path.parent == home.run(config.source) else path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+")
    if not _locked(lock):
        lock.seek(0)
        holder = lock.read().strip() or "an unknown process"
        lock.close()
        raise Conflict(f"another supervisor works on {config.database_url} already: {holder}; `ennio stop --config ...` ends it")
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps({"pid": os.getpid(), "supervisor": os.getppid(), "config": str(config.source), "port": config.port}))
    lock.flush()
    return lock


def _locked(lock: IO[str]) -> bool:
    """A worker that was just told to end may need a moment to do so."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        else:
            return True


def _lock_path(config: Config, home: Home) -> Path:
    scheme, _, rest = config.database_url.partition(":")
    if scheme != "sqlite" or rest in (":memory:", ""):
        return home.run(config.source) / "lock"
    database = Path(rest.removeprefix("///") if rest.startswith("///") and not rest.startswith("////") else rest)
    database = config.directory / database if not rest.startswith("/") else Path("/" + rest.lstrip("/"))
    return database.with_name(database.name + ".lock")


def boot(config_file: Path) -> Running:
    """Start the house of a configuration file in this process, which is a worker of its supervisor.

    Raises Conflict (somebody else runs it), ConfigError, Refused (the database).
    """
    config = load(config_file, os.environ, known())
    logs.to_stderr(secrets(config))  # the file may name others by now than when this process began
    return start(config, Home.of_environment(), _end_supervisor)


def _end_supervisor() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


def start(config: Config, home: Home, stop: Callable[[], None]) -> Running:
    """Start the house; ``stop`` is what its shutdown calls. Raises Conflict, ConfigError, Refused."""
    lock = take_lock(config, home)
    clock = SystemClock()
    store = open_store(config.database_url, config.directory, clock)
    parts = Parts(config, home, clock, store, Registry(home, clock, store.forge, config.directory), Exchange())
    feed = Feed(store)
    _build_plugins(parts)
    root = RootSupervisor.start(parts, fixed_children(parts), _fall_together)
    root.ask(Ping(), timeout=60.0)
    return Running(House(parts, feed, clock.now(), stop), root, lock)


def _build_plugins(parts: Parts) -> None:
    """Every plugin the configuration names, once, so that what is wrong with its settings is said before anybody starts."""
    for project in parts.config.projects:
        parts.plugins.agent(project.agent, project)
        parts.plugins.workspace(project.workspace)
        if project.runtime in installed("runtime"):
            parts.plugins.runtime(project.runtime)
        if _has_forge(parts, project.id):
            parts.plugins.scm(project)
        if _has_tracker(project):
            parts.plugins.tracker(project)


def _fall_together(why: str) -> None:
    """Without its root the house would answer and do nothing: the worker ends, and the arbiter starts another."""
    log.critical("root supervisor died, the worker ends", extra={"error": why})
    os._exit(1)


def fixed_children(parts: Parts) -> list[tuple[str, Start]]:
    """Who is always there, in the order of their start: who reacts first, who asks last."""

    def simple(kind: Any, *args: Any) -> Start:
        return lambda name, watcher: kind.start(parts, name, watcher, *args)

    children: list[tuple[str, Start]] = [
        (NOTICES, simple(NotifierActor)),
        (MERGES, simple(MergeActor)),
        (REACTIONS, simple(ReactionActor)),
    ]
    children += [(runtime_name(name), simple(RuntimePoller, name)) for name in _runtimes(parts)]
    children.append((AGENTS, simple(AgentPoller)))
    children += [(forge_name(p.id), simple(ForgePoller, p.id)) for p in parts.config.projects if _has_forge(parts, p.id)]
    children += [(tracker_name(p.id), simple(TrackerActor, p.id)) for p in parts.config.projects if _has_tracker(p)]
    children.append((QUEUE, simple(QueueActor)))
    return children


def _runtimes(parts: Parts) -> list[str]:
    """Every runtime a session may be in: those configured, those a spawn may name, those in the store."""
    named = {project.runtime for project in parts.config.projects}
    stored = {session.runtime_name for session in parts.store.sessions.list() if session.runtime_name}
    shipped = {"tmux", "process"}
    return sorted((named | stored | shipped) & set(installed("runtime")))


def _has_tracker(project: Project) -> bool:
    return project.tracker is not None and project.tracker.plugin in installed("tracker")


def _has_forge(parts: Parts, project_id: str) -> bool:
    project = parts.project(project_id)
    if project.scm is None:
        return False
    if project.scm.plugin not in installed("scm"):
        log.warning("forge not watched: this version has no such scm plugin", extra={"project": project.id, "plugin": project.scm.plugin})
        return False
    return True
