"""The contract of every durable queue: nothing lost, a lane for each destination, settled once
whatever ends on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.durable_queue import DurableQueue
from ennio.actors.messages import EffectResult, Ping, Wake
from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.plugins.registry import Registry
from ennio.policy import delivering
from ennio.store import Transaction
from tests import made_database
from tests.actors.ground import kill
from tests.conftest import eventually
from tests.properties import examples

NAME = "post:test"
KIND = DeliveryKind.NOTICE
RETRY = delivering.Retry(first=10.0, attempts=4)


class Post(Actor):
    """Delivers to lists that outlive it; ``wrong`` may let a step of a lane go wrong."""

    office: Office
    in_order = False

    def __init__(self, deps: Dependencies, name: str, watcher: Any = None) -> None:
        super().__init__(name, watcher)
        self._clock = deps.clock
        self._queue = DurableQueue(self, deps, KIND, self, in_order=self.in_order)

    def on_start(self) -> None:
        self._queue.start()

    def on_stop(self) -> None:
        self._queue.stop()

    def on_receive(self, message: Any) -> Any:
        match message:
            case Wake():
                self._queue.next()
            case EffectResult(DeliveryRecord() as taken, result, error):
                self.office.wrong("settle", taken, self)
                self._queue.ended(taken, result, error)
            case Ping():
                return True
        return None

    def due(self, delivery: DeliveryRecord, now: Any) -> Any:
        return delivering.due(delivery, RETRY, now)

    def deliver(self, delivery: DeliveryRecord) -> str:
        self.office.wrong("before", delivery, self)
        self.office.arrived.append((delivery.lane, delivery.subject))
        self.office.wrong("after", delivery, self)
        return f"stamp {delivery.subject}"

    def outcome(
        self, delivery: DeliveryRecord, result: Any, error: EnnioError | None, now: Any
    ) -> DeliveryRecord:
        return delivering.outcome(delivery, error, RETRY, now)

    def record_outcome(
        self, tx: Transaction, outcome: DeliveryRecord, result: Any, error: EnnioError | None
    ) -> None:
        self.office.recorded.append((outcome.lane, outcome.subject, outcome.state))
        self.office.wrong("record", outcome, self)


class Office:
    """A store with deliveries, and who delivers them."""

    def __init__(self, folder: Path) -> None:
        self.clock, home = ManualClock(), Home(folder / "home")
        self.store = made_database.opened(folder, self.clock)
        config = Config(source=folder / "ennio.yaml", directory=folder, projects=())
        plugins = Registry(home, self.clock)
        host = PluginHost(plugins, home, self.clock)
        actors = ActorRegistry()
        self.deps = Dependencies(config, home, self.clock, self.store, plugins, actors, host)
        self.arrived: list[tuple[str, str]] = []
        self.recorded: list[tuple[str, str, DeliveryState]] = []
        self.troubles: dict[tuple[str, str], Callable[[Post], None]] = {}

    def wrong(self, step: str, delivery: DeliveryRecord, actor: Post) -> None:
        self.troubles.get((step, delivery.lane), _nothing)(actor)

    def intend(self, *parcels: str) -> None:
        """``lane/subject`` each."""
        for parcel in parcels:
            lane, subject = parcel.split("/")
            self.store.deliveries.intend(DeliveryRecord(KIND, subject, lane))

    def found(self, parcel: str) -> DeliveryRecord:
        lane, subject = parcel.split("/")
        record = self.store.deliveries.get(KIND, subject, lane)
        assert record is not None
        return record

    def states(self, *parcels: str) -> list[str]:
        return [self.found(parcel).state.value for parcel in parcels]

    @contextmanager
    def open(self, *, in_order: bool = False) -> Iterator[Any]:
        kind: Any = type("Post", (Post,), {"office": self, "in_order": in_order})
        ref = kind.start(self.deps, NAME)
        yield ref
        if ref.is_alive():
            ref.stop(timeout=30)

    def pass_time(self, ref: Any, seconds: float) -> None:
        self.clock.advance(seconds)
        ref.tell(Wake())
        ref.ask(Ping(), timeout=30)


def _nothing(_actor: Post) -> None:
    """All goes well."""


def _away(_actor: Post) -> None:
    raise Unreachable("nobody is at home")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_everything_that_is_intended_arrives_once_and_in_order_in_its_lane(office: Office) -> None:
    office.intend("a/1", "b/1", "a/2", "b/2", "a/3")
    with office.open():
        eventually(lambda: len(office.recorded) == 5)
    assert [subject for lane, subject in office.arrived if lane == "a"] == ["1", "2", "3"]
    assert sorted(office.arrived) == [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("b", "2")]
    assert office.found("a/1").settled_at == office.clock.now()
    assert office.store.deliveries.open(KIND) == ()


def test_it_is_on_disk_that_it_is_being_done_before_it_is_done(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    office.troubles["before", "a"] = lambda _: seen.append(
        (office.found("a/1").state.value, office.found("a/1").attempts)
    )
    office.intend("a/1")
    with office.open():
        eventually(lambda: office.states("a/1") == ["done"])
    assert seen == [("doing", 1)]


def test_a_lane_that_never_comes_back_holds_up_only_itself(office: Office) -> None:
    never = Flag()
    office.troubles["before", "dead"] = lambda _: never.wait(60) and None
    office.intend("dead/1", "dead/2", "a/1", "a/2", "b/1")
    with office.open() as ref:
        eventually(lambda: office.states("a/1", "a/2", "b/1") == ["done"] * 3)
        office.intend("a/3")
        office.pass_time(ref, 3600)
        eventually(lambda: office.states("a/3") == ["done"])
        assert office.states("dead/1", "dead/2") == ["doing", "intended"], "one at a time"
        never.set()
        eventually(lambda: office.states("dead/1", "dead/2") == ["done", "done"])


def test_a_lane_that_does_not_answer_is_tried_again_and_holds_up_only_itself(
    office: Office,
) -> None:
    office.troubles["before", "dead"] = _away
    office.intend("dead/1", "dead/2", "a/1")
    with office.open() as ref:
        eventually(lambda: office.states("a/1") == ["done"])
        eventually(lambda: office.found("dead/2").error)
        office.pass_time(ref, 9)
        assert office.found("dead/1").attempts == 1, "and nobody is in a hurry"
        office.pass_time(ref, 1)
        eventually(lambda: office.found("dead/1").attempts == 2)
        eventually(lambda: office.found("dead/2").attempts == 2)
        office.troubles.clear()
        office.pass_time(ref, 10)
        eventually(lambda: office.states("dead/1", "dead/2") == ["done", "done"])


def test_in_a_lane_that_is_in_order_nothing_overtakes_what_waits(office: Office) -> None:
    office.troubles["before", "a"] = _away
    office.intend("a/1", "a/2", "b/1")
    with office.open(in_order=True) as ref:
        eventually(lambda: office.states("b/1") == ["done"] and office.found("a/1").error)
        office.troubles.clear()
        office.pass_time(ref, 5)
        assert office.found("a/2").attempts == 0
        office.pass_time(ref, 5)
        eventually(lambda: office.states("a/1", "a/2") == ["done", "done"])
    assert office.arrived[-2:] == [("a", "1"), ("a", "2")]


def test_who_refuses_is_not_asked_again_and_who_never_answers_is_given_up(office: Office) -> None:
    def refuse(_actor: Post) -> None:
        raise Refused("not here")

    office.troubles["before", "shut"], office.troubles["before", "dead"] = refuse, _away
    office.intend("shut/1", "dead/1")
    with office.open() as ref:
        for tried in range(1, 5):
            eventually(lambda wanted=tried: office.found("dead/1").attempts == wanted)
            eventually(lambda: office.found("dead/1").state is not DeliveryState.DOING)
            office.pass_time(ref, 10)
        eventually(lambda: office.states("shut/1", "dead/1") == ["refused", "failed"])
    assert (office.found("shut/1").attempts, office.found("shut/1").error) == (1, "not here")


def test_a_pause_ends_with_a_restart_and_with_a_clock_that_is_put_back(office: Office) -> None:
    office.troubles["before", "a"] = _away
    office.intend("a/1")
    with office.open() as ref:
        eventually(lambda: office.states("a/1") == ["intended"] and office.found("a/1").error)
        office.clock.put(-3600)
        ref.tell(Wake())
        eventually(lambda: office.found("a/1").attempts == 2)
        eventually(lambda: office.states("a/1") == ["intended"])
    office.troubles.clear()
    with office.open():
        eventually(lambda: office.states("a/1") == ["done"])


@pytest.mark.parametrize("step", ["before", "after", "settle", "record"])
def test_a_death_between_two_steps_is_made_good_by_the_next_life(office: Office, step: str) -> None:
    def ends(actor: Post) -> None:
        del office.troubles[step, "a"]
        kill(actor.actor_ref)
        raise RuntimeError("the power went out")

    office.troubles[step, "a"] = ends
    office.intend("a/1", "b/1")
    with office.open() as ref:
        eventually(lambda: not ref.is_alive())
    assert office.states("a/1") == ["doing"]
    with office.open():
        eventually(lambda: office.states("a/1", "b/1") == ["done", "done"])
    assert (office.found("a/1").attempts, office.arrived.count(("a", "1"))) == (
        2,
        1 if step == "before" else 2,
    )
    kept = [entry for entry in office.recorded if entry[0] == "a"]
    assert len(kept) == (2 if step == "record" else 1), "the first was rolled back"


def test_what_ends_us_again_and_again_waits_and_holds_up_nobody(office: Office) -> None:
    def ends(actor: Post) -> None:
        raise RuntimeError("a bug of that plugin")

    office.troubles["before", "a"] = ends
    office.intend("a/1", "a/2")
    for lives in range(1, 4):
        with office.open() as ref:
            eventually(lambda: not ref.is_alive())
        assert office.found("a/1").attempts == lives
    del office.troubles["before", "a"]
    with office.open() as ref:
        eventually(lambda: office.states("a/2") == ["done"])
        assert office.found("a/1").attempts == 3
        office.pass_time(ref, 10)
        eventually(lambda: office.states("a/1") == ["done"])


def test_a_try_that_was_overtaken_by_another_settles_nothing(office: Office) -> None:
    office.intend("a/1")
    seen: list[str] = []

    def overtaken(_actor: Post) -> None:
        del office.troubles["after", "a"]
        assert office.store.deliveries.take(office.found("a/1"), office.clock.now())
        office.troubles["before", "a"] = lambda _: seen.extend(
            str(entry) for entry in office.recorded
        )

    office.troubles["after", "a"] = overtaken
    with office.open():
        eventually(lambda: office.states("a/1") == ["done"])
    assert seen == [], "the first try wrote nothing"
    assert (len(office.recorded), office.found("a/1").attempts) == (1, 3)


STEPS = st.lists(
    st.sampled_from(["a", "b", "away", "kill", "kill after", "wait", "back"]),
    min_size=3,
    max_size=10,
)


@settings(max_examples=examples(30), deadline=None)
@given(STEPS)
def test_no_order_of_deaths_and_silence_loses_a_delivery_or_settles_one_twice(
    steps: Sequence[str],
) -> None:
    with TemporaryDirectory() as folder:
        office = Office(Path(folder))
        parcels = [f"{step}/{at}" for at, step in enumerate(steps) if step in ("a", "b")]
        for at, step in enumerate(steps):
            with office.open() as ref:
                _play(office, ref, step, at)
        office.troubles.clear()
        with office.open() as ref:
            for _ in range(3):
                office.pass_time(ref, 400)
            eventually(lambda: not office.store.deliveries.open(KIND))
        ends = [entry for entry in office.recorded if not entry[2].open]
        assert sorted(f"{lane}/{subject}" for lane, subject, _ in ends) == sorted(parcels)
        for parcel in parcels:
            lane, subject = parcel.split("/")
            done = office.states(parcel) == ["done"]
            assert done == ((lane, subject, DeliveryState.DONE) in ends)
            assert not done or (lane, subject) in office.arrived
        office.store.close()


def _play(office: Office, ref: Any, step: str, at: int) -> None:
    match step:
        case "a" | "b":
            office.intend(f"{step}/{at}")
        case "away":
            office.troubles["before", "a"] = _away
        case "back":
            office.troubles.clear()
        case "kill after":
            office.troubles["after", "b"] = lambda actor: kill(actor.actor_ref)
        case "kill":
            kill(ref)
        case "wait":
            office.clock.advance(30)
    if ref.is_alive():
        ref.tell(Wake())
    gevent.sleep(0)
