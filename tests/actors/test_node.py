"""Who keeps the way to another machine: when it is asked, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import gevent
import pykka
import pytest

from ennio.actors import condition, node
from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.host_poller import RuntimePoller
from ennio.actors.messages import (
    GetNode,
    NodeAwaited,
    NodeDoubted,
    NodeSeen,
    NodeWanted,
    Ping,
    Wake,
    WatchProcess,
)
from ennio.actors.orchestrator.changes import ChangesApi
from ennio.actors.orchestrator.nodes import NodeApi, NodeView
from ennio.actors.orchestrator.sessions import SessionApi
from ennio.actors.registry import ActorRegistry, node_name, runtime_name
from ennio.actors.root import RootSupervisor
from ennio.config.model import AuthType, Config, Project, SshAuth, SshConfig
from ennio.hosts.node_link import DaemonHealth, DaemonLog, Report
from ennio.hosts.observation import Survey
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.machine.ssh.errors import LoginRefused, NotReached
from ennio.model.clock import SystemClock
from ennio.model.errors import Conflict, EnnioError, NotFound, Refused, Unreachable
from ennio.model.node import NodeStep, StepName
from ennio.model.session import Activity, RuntimeHandle, Session, SessionStatus
from ennio.model.workspace_changes import Until
from ennio.nodes import keepers
from ennio.plugins.registry import Registry
from ennio.policy import nodes
from tests import made_database
from tests.conftest import eventually

THERE = "me@build"


@dataclass
class Far:
    """A machine that is reached, or not; it counts who asks."""

    name: str = THERE
    asked: int = 0
    lost: Exception | None = None
    held: float = 0.0

    def free_memory(self) -> int:
        self.asked += 1
        lost = self.lost
        gevent.sleep(self.held)
        if lost is not None:
            raise lost
        return 2**30

    def survey(self, _runtime: str, _handles: object) -> Survey:
        if self.lost is not None:
            raise self.lost
        return Survey({}, ())

    def free_disk(self) -> int:
        return 2**31


@dataclass
class Way:
    """The way to its daemon."""

    far: Far
    connects: int = 0
    runs: bool = False
    refuses: Exception | None = None
    steps: list[StepName] = field(default_factory=lambda: [StepName.LOG_IN, StepName.START])
    held: float = 0.0

    def connect(self, report: Report) -> None:
        self.connects += 1
        gevent.sleep(self.held)
        for name in self.steps:
            ok = self.refuses is None or name is not self.steps[-1]
            said = "" if ok else "no space left on device"
            report(NodeStep(name, SystemClock().now(), ok, "it is", said))
        if self.refuses is not None:
            raise self.refuses
        self.runs = True

    def heartbeat(self) -> DaemonHealth:
        if not self.runs:
            raise Unreachable("nothing listens there")
        return DaemonHealth(0.025, "0.2.0", SystemClock().now())

    def disconnect(self) -> None:
        self.runs = False

    def release(self) -> None:
        """Nothing is open."""

    def log(self, most: int) -> DaemonLog:
        return DaemonLog("/home/me/.ennio/node/log", "it began\n"[-most:])


@dataclass
class House:
    """A supervisor with one other machine."""

    root: Path
    daemon: bool = True
    far: Far = field(default_factory=Far)
    deps: Any = None
    api: Any = None

    def __post_init__(self) -> None:
        self.way = Way(self.far)

    @contextmanager
    def opened(self) -> Iterator[House]:
        clock, home = SystemClock(), Home(self.root / "home")
        store = made_database.opened(self.root, clock)
        plugins = Registry(home, clock, store.forge, self.root)
        here = PluginHost(plugins, home, clock)
        ssh = SshConfig("build", "me", SshAuth(AuthType.AGENT))
        project = Project("far-app", "Far App", "r", Path("/srv/app"), ssh=ssh)
        config = Config(self.root / "ennio.yaml", self.root, projects=(project,))
        links = {THERE: self.way} if self.daemon else {}
        actors = ActorRegistry()
        deps = Dependencies(
            config, home, clock, store, plugins, actors, here, {THERE: self.far}, links
        )
        self.deps, self.api = deps, NodeApi(deps, clock.now())
        root = RootSupervisor.start(deps, keepers(deps))
        root.ask(Ping(), timeout=30)
        try:
            yield self
        finally:
            root.stop(timeout=30)
            eventually(lambda: not pykka.ActorRegistry.get_all(), 60, "every actor has ended")
            plugins.close()
            store.close()

    def session(self, status: SessionStatus = SessionStatus.WORKING) -> None:
        """One that lives there."""
        now = self.deps.clock.now()
        one = Session(
            id="fa-1",
            project_id="far-app",
            status=status,
            activity=Activity.READY,
            created_at=now,
            last_activity_at=now,
            config_hash="abc",
            host=THERE,
        )
        if self.deps.store.sessions.get(one.id) is None:
            self.deps.store.sessions.insert(one)
        self.deps.store.sessions.save(replace(one, status=status))

    @property
    def view(self) -> NodeView:
        return self.api.get(THERE)

    def until(self, state: str) -> NodeView:
        eventually(lambda: self.view.state == state, 20, f"it is {state}")
        return self.view

    def tell(self, message: Any) -> None:
        self.deps.actors.tell(node_name(THERE), message)

    @property
    def types(self) -> list[str]:
        return [event.event_type for event in self.deps.store.events.after(0)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_daemon_without_sessions_is_neither_connected_nor_asked(house: House) -> None:
    with house.opened():
        assert house.view.state == "idle"
        assert (house.way.connects, house.far.asked) == (0, 0)
        assert "no session needs it" in (house.view.error or "")


def test_a_session_that_waits_has_it_connected_and_all_that_was_done_is_told(house: House) -> None:
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        view = house.until("connected")
        assert [step.name for step in view.steps] == ["log in", "start"]
        assert (view.version, view.round_trip, view.free_memory) == ("0.2.0", 0.025, 2**30)
        assert (view.kind, view.sessions, view.projects) == ("daemon", 1, ["far-app"])
        assert house.types == ["node_launched", "node_connected"]
        house.tell(NodeWanted())
        assert house.view.state == "connected"
        assert house.way.connects == 1, "what is connected is not connected again"


def test_a_daemon_that_was_killed_is_told_as_lost_and_started_again(house: House) -> None:
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        house.until("connected")
        house.way.runs = False
        house.tell(Wake())
        house.until("unreachable")
        house.until("connected")
        assert house.way.connects == 2
        assert house.types[2:] == ["node_disconnected", "node_launched", "node_connected"]


def test_who_could_not_look_has_it_asked_at_once_and_many_of_them_only_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        house.until("connected")
        asked = house.far.asked
        for _ in range(20):
            house.tell(NodeDoubted())
        house.deps.actors.ask(node_name(THERE), Ping())
        assert house.far.asked == asked, "what it said just now settles it"
        monkeypatch.setattr(node, "_SETTLED", 0.0)
        house.tell(NodeDoubted())
        eventually(lambda: house.far.asked == asked + 1)
        house.way.runs = False
        house.tell(NodeDoubted())
        eventually(lambda: house.way.connects == 2, 10, "long before the next look is due")


def test_one_that_ended_while_nobody_needs_it_rests_and_is_not_started(house: House) -> None:
    with house.opened():
        house.api.connect("Far App")
        house.until("connected")
        house.way.runs = False
        house.tell(Wake())
        house.until("idle")
        assert house.way.connects == 1


def test_what_a_person_must_change_is_refused_with_the_output_and_tried_again(
    house: House,
) -> None:
    house.way.refuses = Refused("its disk is full: free some")
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        view = house.until("refused")
        assert view.error == "its disk is full: free some"
        assert (view.steps[-1].ok, view.steps[-1].output) == (False, "no space left on device")
        house.way.refuses = None
        house.tell(NodeWanted())
        assert house.view.state == "refused", "who waits in the queue does not hurry it"
        house.api.connect(THERE)
        house.until("connected")


def test_disconnecting_says_who_goes_on_there_and_holds_over_a_restart(house: House) -> None:
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        house.until("connected")
        assert house.api.disconnect("far-app").sessions == 1
        assert not house.way.runs
        assert house.view.state == "disconnected"
        house.tell(NodeWanted())
        assert house.view.state == "disconnected", "nobody but a person connects again"
    with house.opened():
        assert house.view.state == "disconnected"
        house.api.connect("build")
        house.until("connected")
    with house.opened():
        house.until("connected")


def test_disconnecting_ends_what_is_just_connecting(house: House) -> None:
    house.way.held = 30.0
    with house.opened():
        house.api.connect(THERE)
        eventually(lambda: house.way.connects == 1)
        house.api.disconnect(THERE)
        assert house.view.state == "disconnected"


def test_a_machine_without_a_daemon_is_asked_when_somebody_looks(tmp_path: Path) -> None:
    house = House(tmp_path, daemon=False)
    with house.opened():
        assert house.far.asked == 0, "nobody has looked, and no session is there"
        assert house.view.kind == "ssh"
        view = house.until("connected")
        assert view.round_trip is not None
        asked = house.far.asked
        assert house.view.state == "connected"
        assert house.far.asked == asked, "what it said a moment ago is fresh"
        with pytest.raises(Conflict, match="has no ennio-node"):
            house.api.disconnect(THERE)
        with pytest.raises(Conflict, match="no log of it"):
            house.api.log("far-app", 100)


def test_one_that_is_lost_keeps_when_it_was_seen_and_no_figure_of_then(tmp_path: Path) -> None:
    house = House(tmp_path, daemon=False)
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("connected")
        house.far.lost = Unreachable("no route to host")
        house.tell(Wake())
        view = house.until("unreachable")
        assert view.seen_at is not None
        assert (view.round_trip, view.free_memory, view.error) == (None, None, "no route to host")
        house.far.lost = None
        house.until("connected")
        told = ["node_connected", "node_disconnected", "node_connected"]
        assert house.types == told


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again in its time is not tried again while a test runs."""
    usual = nodes.pause

    def pause(of: nodes.Node, *, needed: bool) -> float | None:
        return None if usual(of, needed=needed) is None else 600.0

    monkeypatch.setattr(nodes, "pause", pause)
    monkeypatch.setattr(node, "_STALE", 600.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("lost", [Unreachable("no route to host"), LoginRefused("who are you")])
def test_what_is_seen_of_a_machine_ends_its_trouble_at_once(
    tmp_path: Path, lost: Exception
) -> None:
    house = House(tmp_path, daemon=False)
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("connected")
        house.far.lost = lost
        house.tell(Wake())
        eventually(lambda: condition.readiness(house.deps).degraded, 30)
        name = runtime_name("stub", THERE)
        poller = RuntimePoller.start(house.deps, name, None, "stub", house.far)
        try:
            poller.tell(WatchProcess("fa-1"))
            gevent.sleep(0.3)
            assert house.view.state in ("unreachable", "refused")
            house.far.lost = None
            house.until("connected")
        finally:
            poller.stop(timeout=30)
        assert condition.readiness(house.deps).degraded == ()
        assert house.view.error is None


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("daemon", [False, True])
def test_a_person_who_waits_has_tried_what_is_away_also_where_that_was_tried_a_moment_ago(
    tmp_path: Path, daemon: bool
) -> None:
    house = House(tmp_path, daemon=daemon)
    house.way.refuses = house.far.lost = NotReached("no route to host")
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("unreachable")
        assert house.deps.actors.ask(node_name(THERE), GetNode()).away
        house.way.refuses = house.far.lost = None
        house.tell(NodeAwaited())
        house.until("connected")


@pytest.mark.usefixtures("patient")
def test_a_person_who_comes_while_it_is_tried_has_it_tried_once_more(tmp_path: Path) -> None:
    house = House(tmp_path, daemon=False)
    house.far.lost = NotReached("no route to host")
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("unreachable")
        gevent.sleep(node._SETTLED)
        house.far.held, asked = 1.0, house.far.asked
        house.tell(NodeAwaited())
        eventually(lambda: house.far.asked > asked, 30, "it is just being tried")
        house.far.lost, house.far.held = None, 0.0
        house.tell(NodeAwaited())
        house.until("connected")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("daemon", [False, True])
def test_looking_at_what_is_away_has_it_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemon: bool
) -> None:
    house = House(tmp_path, daemon=daemon)
    house.way.refuses = house.far.lost = NotReached("no route to host")
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("unreachable")
        house.way.refuses = house.far.lost = None
        monkeypatch.setattr(node, "_STALE", 0.0)
        monkeypatch.setattr(node, "_SETTLED", 0.0)
        house.until("connected")


@pytest.mark.usefixtures("patient")
def test_a_person_who_waits_hurries_nothing_that_refused_and_starts_no_daemon_for_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_SETTLED", 0.0)
    house.way.refuses = Refused("its disk is full: free some")
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("refused")
        connects = house.way.connects
        house.tell(NodeAwaited())
        house.deps.actors.ask(node_name(THERE), Ping())
        assert (house.view.state, house.way.connects) == ("refused", connects)
        house.way.refuses = NotReached("no route to host")
        house.api.connect(THERE)
        house.until("unreachable")
        house.session(SessionStatus.KILLED)
        connects = house.way.connects
        house.tell(NodeAwaited())
        house.deps.actors.ask(node_name(THERE), Ping())
        assert (house.view.state, house.way.connects) == ("unreachable", connects)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("asked", ["output", "send", "answer", "diff"])
def test_what_a_person_asks_of_a_session_has_its_machine_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(node, "_SETTLED", 0.0)
    house = House(tmp_path, daemon=False)
    house.far.lost = NotReached("no route to host")
    with house.opened():
        house.session()
        place = {"workspace_path": "/srv/app", "runtime_handle": RuntimeHandle("fa-1", "stub")}
        sessions = house.deps.store.sessions
        sessions.save(replace(sessions.need("fa-1"), **place))
        house.api.connect(THERE)
        house.until("unreachable")
        house.far.lost = None
        api = SessionApi(house.deps, cast("Feed", None))
        ways: dict[str, Callable[[], object]] = {
            "output": lambda: api.output("fa-1", 5),
            "send": lambda: api.send("fa-1", "once more"),
            "answer": lambda: api.answer("fa-1", "yes"),
            "diff": lambda: ChangesApi(house.deps, api).diff("fa-1", Until.HEAD),
        }
        with suppress(EnnioError, AttributeError):  # nobody is there who would do it
            ways[asked]()
        house.until("connected")


@pytest.mark.usefixtures("patient")
def test_what_is_seen_while_an_attempt_fails_that_began_before_counts(tmp_path: Path) -> None:
    house = House(tmp_path, daemon=False)
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("connected")
        house.far.lost, house.far.held = Unreachable("no route to host"), 1.0
        asked = house.far.asked
        house.tell(Wake())
        eventually(lambda: house.far.asked > asked, 30, "it is just being asked")
        house.far.lost, house.far.held = None, 0.0
        house.tell(NodeSeen())
        eventually(lambda: "node_disconnected" in house.types, 30, "that attempt fails")
        house.until("connected")


@pytest.mark.usefixtures("patient")
def test_a_daemon_is_met_again_when_it_is_seen_and_what_a_person_must_change_is_not(
    house: House,
) -> None:
    house.way.refuses = Unreachable("no way leads there")
    with house.opened():
        house.session()
        house.tell(NodeWanted())
        house.until("unreachable")
        house.way.refuses = Refused("its disk is full: free some")
        house.tell(NodeSeen())
        house.until("refused")
        connects = house.way.connects
        house.tell(NodeSeen())
        assert house.view.state == "refused"
        assert house.way.connects == connects


def test_what_is_wrong_is_told_once_and_that_nobody_needs_it_is_nothing_wrong(
    house: House,
) -> None:
    with house.opened():
        assert condition.readiness(house.deps).degraded == (), "it is idle"
        house.way.refuses = Refused("its disk is full: free some")
        house.session()
        house.tell(NodeWanted())
        house.until("refused")
        (told,) = condition.readiness(house.deps).degraded
        assert (told.part, told.name) == ("node", node_name(THERE))
        assert told.detail == "its disk is full: free some"
        house.way.refuses = None
        house.api.connect(THERE)
        house.until("connected")
        assert condition.readiness(house.deps).degraded == ()
        house.api.disconnect(THERE)
        (told,) = condition.readiness(house.deps).degraded
        assert "ennio node connect" in told.detail
        house.session(SessionStatus.KILLED)
        assert condition.readiness(house.deps).degraded == ()


def test_names_are_understood_and_unknown_ones_are_told_with_those_there_are(house: House) -> None:
    with house.opened():
        assert {house.api.get(name).host for name in ("Far App", "far-app", "build", THERE)} == {
            THERE
        }
        assert house.api.get("here").host == ""
        with pytest.raises(NotFound, match=r"did you mean 'me@build'.*there are: here, me@build"):
            house.api.get("me@buid")
        with pytest.raises(Conflict, match="needs no connection"):
            house.api.connect("here")
        assert house.api.log(THERE, 6).text == "began\n"
