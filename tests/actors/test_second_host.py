"""A session on another host: all of its life is there, behind a node of another user with another
home, and nothing of it is looked for on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pykka
import pytest

from ennio.actors import preserved
from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.messages import Ping, QueueChanged
from ennio.actors.orchestrator import Orchestrator
from ennio.actors.registry import QUEUE, ActorRegistry
from ennio.actors.root import RootSupervisor
from ennio.actors.session_context import context
from ennio.actors.spawning import SpawnRequest
from ennio.boot import fixed_children
from ennio.config.model import AgentConfig, Config, Poll, Project
from ennio.hosts.brief import Brief
from ennio.hosts.interface import Host
from ennio.hosts.on_demand import HostOnDemand, OpenHost
from ennio.hosts.plugin_host import PluginHost
from ennio.locks import in_a_thread
from ennio.machine.home import Home
from ennio.machine.process_table import start_of
from ennio.model.clock import SystemClock
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.message import MessageState
from ennio.model.session import Activity, Session, SessionStatus
from ennio.plugins.registry import Registry
from tests import made_database
from tests.conftest import eventually
from tests.contract.host_stage import KINDS, STORY, Stage, stage_at

THERE = "elsewhere"
"""What the host of the stage calls itself."""
_watched: dict[str, list[str]] = {}
"""Processes that must not be looked up here, and what was asked of them all the same."""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    for pid, asked in _watched.items():
        if event == "open" and str(args[0]).startswith((f"/proc/{pid}/", f"/proc/{pid}")):
            asked.append(f"{event} {args[0]}")
        if event in ("os.kill", "os.killpg") and str(args[0]) == pid:
            asked.append(f"{event} {args}")


sys.addaudithook(_audit)


class NodeAtHand(HostOnDemand):
    """A host behind a node that nobody has to connect to: what needs no machine is known here."""

    def __init__(self, name: str, node: Host, near: Host) -> None:
        super().__init__(name, lambda: cast("OpenHost", node), near)

    def check(self, brief: Brief) -> None:
        """See ``Host``: a node has every runtime."""
        self._near.check(brief)


@dataclass
class House:
    """A supervisor here that knows the host of a stage, or does not."""

    stage: Stage
    root: Path
    deps: Dependencies = field(init=False)
    orchestrator: Orchestrator = field(init=False)

    @contextmanager
    def opened(self, hosts: dict[str, Host]) -> Iterator[House]:
        clock, home = SystemClock(), Home(self.root / "home")
        store = made_database.opened(self.root, clock)
        plugins = Registry(home, clock, store.forge, self.root)
        here = PluginHost(plugins, home, clock, apart=in_a_thread)
        known: dict[str, Host] = {name: NodeAtHand(name, hosts[name], here) for name in hosts}
        deps = Dependencies(
            self.config(), home, clock, store, plugins, ActorRegistry(), here, known
        )
        self.deps, feed = deps, Feed(store)
        self.orchestrator = Orchestrator.of(deps, feed, clock.now(), lambda: None)
        root = RootSupervisor.start(deps, _looking(deps, self.orchestrator))
        root.ask(Ping(), timeout=30)
        try:
            yield self
        finally:
            root.stop(timeout=30)
            eventually(lambda: not pykka.ActorRegistry.get_all(), 60, "every actor has ended")
            feed.close()
            plugins.close()
            store.close()

    def config(self) -> Config:
        runtime, workspace = KINDS[self.stage.kind]
        project = Project(
            id="play",
            name="play",
            repo=str(self.stage.root / "hub.git"),
            path=self.stage.root / "score",
            session_prefix="fix",
            runtime=runtime,
            workspace=workspace,
            agent="scripted",
            agent_config=AgentConfig(passthrough={"story": STORY, "speed": 20}),
        )
        return Config(
            source=self.root / "ennio.yaml",
            directory=self.root,
            projects=(project,),
            poll=Poll(0.1, 0.1, 0.1),
            min_free_memory=0,
            ready_threshold=0.0,
        )

    def waiting_there(self) -> str:
        """A session that waits, held, for its place on the other host."""
        with self.opened({}):
            session_id = self.orchestrator.sessions.spawn(
                SpawnRequest("play", prompt="Play the sonata", held=True)
            ).id
            sessions = self.deps.store.sessions
            sessions.save(replace(sessions.need(session_id), host=THERE))
        return session_id

    def session(self, session_id: str) -> Session:
        return self.deps.store.sessions.need(session_id)

    def process(self, session_id: str) -> ProcessSeen:
        """What was last seen of its process."""
        found = self.deps.store.facts.get(session_id).process
        assert found is not None
        return found

    def reason(self, session_id: str) -> str:
        """What it waits for, as the queue says."""
        waiting = self.deps.store.queue.get(session_id)
        return waiting.reason if waiting is not None else "nothing"


def _looking(deps: Dependencies, *more: Any) -> list[Any]:
    """Whoever is always there but those who wait for news: in a process that gevent has not patched
    they would keep everybody waiting, and looks are the second witness.
    """
    children = fixed_children(deps, *more)
    return [child for child in children if not child[0].startswith("news")]


@pytest.fixture(params=list(KINDS))
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with stage_at("behind a node", request.param) as stage:
        yield House(stage, tmp_path)
    _watched.clear()


def test_a_whole_life_on_another_host_never_meets_our_processes(house: House) -> None:
    session_id = house.waiting_there()
    with house.opened({THERE: house.stage.host}):
        house.orchestrator.queue.release(session_id)
        eventually(lambda: house.session(session_id).runtime_handle, 90, "its agent is started")
        session = house.session(session_id)
        assert session.runtime_handle is not None
        pid, born = session.runtime_handle.data["pid"], session.runtime_handle.data["started"]
        assert start_of(int(pid)) == born, "here it could be looked up, were it not another host's"
        assert Path(f"/proc/{pid}").stat().st_uid == house.stage.user.uid
        _watched[pid] = []
        assert (session.workspace_path or "").startswith(str(house.stage.home))
        eventually(lambda: house.session(session_id).activity is Activity.READY, 90)
        facts = house.deps.store.facts.get(session_id)
        assert facts.process is not None
        assert str(facts.process.pid) == pid
        told = house.orchestrator.sessions.send(session_id, "louder, please")
        eventually(
            lambda: house.deps.store.messages.get(told.id).state is MessageState.DELIVERED, 90
        )
        assert "louder, please" in house.orchestrator.sessions.output(session_id, 50)
        house.orchestrator.sessions.kill(session_id)
        eventually(lambda: house.session(session_id).status is SessionStatus.KILLED, 90)
        asked, _watched[pid] = _watched.pop(pid), []
        assert asked == [], "nothing of it was looked up on this machine"
        _watched.clear()
        assert start_of(int(pid)) == "", "it has ended over there"
        at = context(house.deps, house.session(session_id))
        assert at.host.remove(at.brief).preserved
        saved = {(item.id, item.host) for item in preserved.everything(house.deps, "play")}
        assert (session_id, THERE) in saved, "what its removal saved is found where it is"
        assert (session_id, THERE) in _saved(house, THERE)
        assert (session_id, THERE) not in _saved(house, preserved.HERE)
    assert not (house.root / "home" / "sessions" / session_id).exists(), "nothing of it is here"


def _saved(house: House, host: str) -> set[tuple[str, str]]:
    found = preserved.everything(house.deps, "play", host)
    return {(item.id, item.host) for item in found}


def test_a_session_for_a_host_that_nobody_knows_goes_on_waiting_and_says_why(house: House) -> None:
    session_id = house.waiting_there()
    with house.opened({}):
        house.orchestrator.queue.release(session_id)
        why = f"host {THERE}, which this supervisor does not know"
        eventually(lambda: why in house.reason(session_id))
        house.deps.actors.tell(QUEUE, QueueChanged())
        eventually(lambda: why in house.reason(session_id))
        session = house.session(session_id)
        assert (session.workspace_path, session.runtime_handle) == (None, None)
        assert session.status is SessionStatus.SPAWNING


def test_one_for_a_host_that_cannot_be_asked_waits_and_starts_once_it_can(house: House) -> None:
    session_id = house.waiting_there()
    house.stage.kill()
    with house.opened({THERE: house.stage.host}):
        house.orchestrator.queue.release(session_id)
        eventually(lambda: f"host {THERE} cannot be asked" in house.reason(session_id), 60)
        assert house.session(session_id).runtime_handle is None
        house.stage.start()
        eventually(lambda: house.session(session_id).runtime_handle, 90, "its agent is started")
        house.orchestrator.sessions.kill(session_id)
        eventually(lambda: house.session(session_id).status is SessionStatus.KILLED, 90)


def test_a_node_that_is_killed_leaves_its_session_unknown_and_the_next_one_adopts_it(
    house: House,
) -> None:
    session_id = house.waiting_there()
    with house.opened({THERE: house.stage.host}):
        house.orchestrator.queue.release(session_id)
        eventually(lambda: house.session(session_id).activity is Activity.READY, 90)
        before, alive = house.session(session_id), house.process(session_id)
        assert alive.presence is Presence.ALIVE
        house.stage.kill()
        eventually(lambda: house.process(session_id).presence is Presence.UNKNOWN, 60)
        told = house.orchestrator.sessions.send(session_id, "louder, please")
        assert Path(f"/proc/{alive.pid}").exists(), "agents are no children of the node"
        unknown = house.session(session_id)
        assert (unknown.status, unknown.runtime_handle) == (before.status, before.runtime_handle)
        house.stage.start()
        eventually(lambda: house.process(session_id).presence is Presence.ALIVE, 60)
        assert house.process(session_id).pid == alive.pid, "nothing was started in its place"
        eventually(
            lambda: house.deps.store.messages.get(told.id).state is MessageState.DELIVERED, 90
        )
        house.orchestrator.sessions.kill(session_id)
        eventually(lambda: house.session(session_id).status is SessionStatus.KILLED, 90)


def test_an_agent_there_that_the_database_does_not_know_is_taken_in_as_one_of_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.actors.adopter._FIRST", 0.5)  # it asks again, sooner
    session_id = house.waiting_there()
    with house.opened({THERE: house.stage.host}):
        house.orchestrator.queue.release(session_id)
        eventually(lambda: house.session(session_id).activity is Activity.READY, 90)
    for path in house.root.glob("ennio.db*"):
        path.unlink()
    house.stage.kill()
    with house.opened({THERE: house.stage.host}):
        assert not house.deps.store.sessions.list(), "nobody waits for a host that is silent"
        house.stage.start()
        known = house.deps.store.sessions
        eventually(lambda: [one.id for one in known.list()] == [session_id], 60)
        assert house.session(session_id).host == THERE
        eventually(lambda: house.session(session_id).activity is Activity.READY, 90)
        house.orchestrator.sessions.kill(session_id)
        eventually(lambda: house.session(session_id).status is SessionStatus.KILLED, 90)
