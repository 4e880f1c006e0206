"""The only file that knows everyone: configuration -> lock -> store -> plugins -> actors
-> API. Stops in reverse.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent
import pykka

from ennio import logs, tracing
from ennio.actors import absence, budget_raises, config_problem
from ennio.actors.actor import wound_up
from ennio.actors.adoption import adopt
from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.forge_poller import ForgePoller
from ennio.actors.merger import MergeActor
from ennio.actors.messages import Ping
from ennio.actors.metrics import keep_calls, recall_calls
from ennio.actors.notifier import NotifierActor
from ennio.actors.orchestrator import Orchestrator
from ennio.actors.queue import QueueActor
from ennio.actors.reaction import ReactionActor
from ennio.actors.registry import (
    ASK_TIMEOUT,
    MERGES,
    NOTICES,
    QUEUE,
    REACTIONS,
    RETENTION,
    ActorRegistry,
    forge_name,
    tracker_name,
)
from ennio.actors.retention import RetentionActor
from ennio.actors.root import RootSupervisor, Start
from ennio.actors.tracker import TrackerActor
from ennio.config import database, last_good, ownership, trusted, yaml_source
from ennio.config.load import load
from ennio.config.model import Config, LogFormat, Project
from ennio.config.secrets import secrets
from ennio.hosts.elsewhere import close_all
from ennio.hosts.far_machine import far_machine
from ennio.hosts.plugin_host import PluginHost
from ennio.http.serve import UNBORN
from ennio.locks import in_a_thread
from ennio.looking import lookers
from ennio.machine import files
from ennio.machine.home import INSTANCE, Home, private
from ennio.metering import meters
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import Away, ConfigError, Conflict, Unreachable, Untrusted
from ennio.nodes import keepers, other_machines
from ennio.plugins import declared, fitting
from ennio.plugins.forge.local import guard
from ennio.plugins.registry import Registry, installed
from ennio.plugins.shipped import known
from ennio.radar import radar
from ennio.relaying import relay
from ennio.store import Store, WaitingStore, open_store, wait_for_server

log = logging.getLogger(__name__)

PATIENCE = 5.0
WINDING_UP = 3.0


@dataclass(slots=True)
class Running:
    """A supervisor that runs in this process."""

    orchestrator: Orchestrator
    deps: Dependencies
    host: PluginHost
    feed: Feed
    lock: int
    root: pykka.ActorRef[Any] | None = None
    waiting: gevent.Greenlet[..., None] | None = None
    """Who waits for the database, as long as nobody else can begin."""

    def stop(self) -> None:
        """End actors, plugins, store and lock, in this order; agents go on."""
        if self.waiting is not None:
            self.waiting.kill()
        if self.root is not None:
            self.root.stop(timeout=ASK_TIMEOUT)
        wound_up(WINDING_UP)  # what looks or works just now would find the store closed
        self.feed.close()
        self.host.close()
        close_all(self.deps.other_machines.values())
        self.deps.plugins.close()
        keep_calls(self.deps.store, self.deps.plugins.calls)
        self.deps.store.close()
        tracing.end(WINDING_UP)
        os.close(self.lock)


def take_lock(config: Config, home: Home) -> int:
    """The lock of the state the configuration names, for this process alone. Raises
    Conflict saying who holds it.

    It lies beside the database, so that two configurations on one database are seen as one.
    """
    path = _lock_path(config, home)
    private(path.parent) if path.parent == home.run(config.source) else path.parent.mkdir(
        parents=True, exist_ok=True
    )
    lock = files.acquire(
        path, patience=PATIENCE
    )  # a worker that was just told to end may need a moment to do so
    if lock is None:
        works = f"another supervisor works on {database.shown(config.database_url)} already"
        raise Conflict(f"{works}: {database.held_by(files.holder(path))}")
    words = {
        "pid": os.getpid(),
        "supervisor": os.getppid(),
        "config": str(config.source),
        "port": config.port,
    }
    files.note_holder(lock, json.dumps(words))
    return lock


def _lock_path(config: Config, home: Home) -> Path:
    file = database.file(config.database_url)
    return home.run(config.source) / "lock" if file is None else database.lock_of(file)


def boot(config_file: Path, port: int) -> Running:
    """Start what a configuration file describes in this process, which is a
    worker of its supervisor.

    A file that has become wrong since this supervisor began, or wants what was never trusted, does
    not end it: the last good one holds, and the supervisor says so. ``port`` is the one its API is
    reached at: the file may say 0 (any), or since the supervisor began another one than it has.
    Raises Conflict (somebody else runs it), ConfigError, Refused or Unreachable (the database).
    """
    home = Home.of_environment()
    run_dir = private(home.run(config_file))
    content: bytes | None = None
    try:
        content = _content(config_file)
        config = load(config_file, os.environ, known(), declared=declared.shipped, content=content)
        trusted.insist(config, home, os.environ)
        fitting.insist(config, home, content)
        running = _of(replace(config, port=port), home)
    except (ConfigError, Untrusted) as error:
        good = last_good.known(run_dir)
        if good is None:
            raise
        log.error("configuration refused, the last good one holds: %s", error)  # noqa: TRY400 - somebody can act on it
        config = load(config_file, os.environ, known(), declared=declared.shipped, content=good)
        return _of(replace(config, port=port), home, str(error))
    if content is not None:
        _keep(run_dir, content)
    return running


def _content(config_file: Path) -> bytes | None:
    try:
        return ownership.read(config_file, yaml_source.MOST_BYTES)
    except OSError:
        return None  # loading it says why


def _keep(run_dir: Path, content: bytes) -> None:
    try:
        last_good.keep(run_dir, content)
    except OSError as error:
        log.warning("no copy of the configuration could be kept", extra={"error": str(error)})


def _of(config: Config, home: Home, problem: str | None = None) -> Running:
    tracing.begin(os.environ)
    # the file may name others by now than when this process began
    logs.to_stderr(secrets(config), as_json=config.log_format is LogFormat.JSON)
    return start(config, home, _end_supervisor, problem)


def _end_supervisor() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


def start(
    config: Config, home: Home, stop: Callable[[], None], problem: str | None = None
) -> Running:
    """Start everything; ``stop`` is what its shutdown calls, ``problem`` why its file is
    not the one it stands on.

    Raises Conflict, ConfigError, Refused, Unreachable; then nothing of it is left open.
    """
    with ExitStack() as undo:
        lock = take_lock(config, home)
        undo.callback(os.close, lock)
        clock = SystemClock()
        store, absent = _store(config, home, clock)
        undo.callback(store.close)
        instance = _instance(store, config, home)
        plugins = Registry(home, clock, store.forge, config.directory, instance)
        host = PluginHost(plugins, home, clock, apart=in_a_thread)
        others = other_machines(config, home, clock, instance, host, far_machine)
        known, ways = others.hosts, others.links
        deps = Dependencies(config, home, clock, store, plugins, ActorRegistry(), host, known, ways)
        undo.callback(deps.plugins.close)
        adopted: list[str] = []
        feed = Feed(store)
        running = Running(
            Orchestrator.of(deps, feed, clock.now(), stop, problem, adopted, os.getpid()),
            deps,
            host,
            feed,
            lock,
        )
        _build_plugins(deps)
        _guard_hubs(deps)
        if absent is None:
            running.root = _stand(deps, running.orchestrator, problem, adopted)
        else:
            running.waiting = gevent.spawn(_wait, running, absent, instance, adopted)
            running.waiting.link_exception(lambda dead: _fall_together(repr(dead.exception)))
        undo.pop_all()
    return running


def _stand(
    deps: Dependencies, orchestrator: Orchestrator, problem: str | None, adopted: list[str]
) -> pykka.ActorRef[Any]:
    """What needs the database: whose agents it does not know are taken in, and all actors begin."""
    recall_calls(deps.store, deps.plugins.calls)
    config_problem.tell(deps, problem)
    budget_raises.follow_file(deps)
    adopted += (taken.session_id for taken in adopt(deps) if taken.runs)
    root = RootSupervisor.start(deps, fixed_children(deps, orchestrator), _fall_together)
    root.ask(Ping(), timeout=60.0)
    return root


def _store(config: Config, home: Home, clock: Clock) -> tuple[Store, WaitingStore | None]:
    """The database; one whose server is away is waited for while people can
    already see and stop what runs.
    """
    beside = private(home.run(config.source))
    try:
        return open_store(config.database_url, config.directory, clock, beside=beside), None
    except Unreachable as error:
        if not database.served(config.database_url):
            raise
        log.warning("the database is away, it is waited for", extra={"error": str(error)})
        absent = wait_for_server(config.database_url, config.directory, clock, error, beside=beside)
        return absent.store, absent


def _wait(running: Running, absent: WaitingStore, instance: str, adopted: list[str]) -> None:
    """Wait for the database, then go on as if it had been there."""
    deps, own = running.deps, running.orchestrator.supervisor
    error = absence.wait(deps, absent)
    if error is not None:
        log.critical("could not start: %s", error)
        os._exit(UNBORN)  # to begin again would help nobody
    if _instance(deps.store, deps.config, deps.home) != instance:
        _fall_together("agents are in terminals of another name than was thought without it")
    running.root = _stand(deps, running.orchestrator, own.config_problem, adopted)
    running.waiting = None


def _instance(store: Store, config: Config, home: Home) -> str:
    """What this state was called when it was first run: a file that is moved finds the
    agents that it started before.

    It is kept beside the log too, for a start at which the database is away.
    """
    own, kept = home.run(config.source).name, home.run(config.source) / INSTANCE
    written = kept.read_text() if kept.exists() else ""
    try:
        named = store.meta.get(INSTANCE)
    except Away:
        return written or own
    if named is None:
        named = own
        store.meta.set(INSTANCE, named)
    if named != written:
        files.write_atomically(kept, named)
    return named


def _guard_hubs(deps: Dependencies) -> None:
    """Let every hub that Ennio made refuse agents' pushes to the branches that
    the projects on it protect.
    """
    wanted: dict[Path, set[str]] = {}
    for project in deps.config.projects:
        choice = project.forge if project.ssh is None else None
        if choice and choice.plugin == "local" and (hub := guard.hub_of(project, deps.home)):
            wanted.setdefault(hub, set()).update(
                (project.default_branch, *project.protected_branches)
            )
    for hub, branches in wanted.items():
        if (problem := guard.install(hub, branches)) is not None:
            log.warning("hub not guarded", extra={"hub": str(hub), "error": problem})


def _build_plugins(deps: Dependencies) -> None:
    """Every plugin the configuration names, once, so that what is wrong with its settings is
    said before anybody starts.
    """
    for project in deps.config.projects:
        deps.plugins.agent(project.agent, project.id, project.agent_config, project.env)
        deps.plugins.workspace(project.workspace)
        if project.runtime in installed("runtime"):
            deps.plugins.runtime(project.runtime)
        if _has_forge(deps, project.id):
            deps.plugins.forge(project)
        if _has_tracker(project):
            deps.plugins.tracker(project)


def _fall_together(why: str) -> None:
    """Without its root the API would answer and do nothing: the worker ends, and
    the arbiter starts another.
    """
    log.critical("root supervisor died, the worker ends", extra={"error": why})
    os._exit(1)


def fixed_children(deps: Dependencies, orchestrator: Orchestrator) -> list[tuple[str, Start]]:
    """Who is always there, in the order of their start: who reacts first, who asks last."""

    def simple(kind: Any, *args: Any) -> Start:
        return lambda name, watcher: kind.start(deps, name, watcher, *args)

    children: list[tuple[str, Start]] = [
        (NOTICES, simple(NotifierActor)),
        (MERGES, simple(MergeActor)),
        (REACTIONS, simple(ReactionActor)),
    ]
    children += lookers(deps)
    children += [
        (forge_name(p.id), simple(ForgePoller, p.id))
        for p in deps.config.projects
        if _has_forge(deps, p.id)
    ]
    children += [
        (tracker_name(p.id), simple(TrackerActor, p.id))
        for p in deps.config.projects
        if _has_tracker(p)
    ]
    children += [*relay(deps, orchestrator), *meters(deps), *radar(deps), *keepers(deps)]
    children += [(QUEUE, simple(QueueActor)), (RETENTION, simple(RetentionActor))]
    return children


def _has_tracker(project: Project) -> bool:
    return project.tracker is not None and project.tracker.plugin in installed("tracker")


def _has_forge(deps: Dependencies, project_id: str) -> bool:
    project = deps.project(project_id)
    if project.forge is None:
        return False
    if project.forge.plugin not in installed("scm"):
        log.warning(
            "forge not watched: this version has no such plugin of the slot scm",
            extra={"project": project.id, "plugin": project.forge.plugin},
        )
        return False
    return True
