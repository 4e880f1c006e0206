"""The contract of everybody who follows the log: every event, in order, whatever
ends or fails on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.actors.dependencies import Dependencies
from ennio.actors.follower import FollowerActor
from ennio.actors.messages import Ping, Wake
from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Refused, Unreachable
from ennio.model.events import Draft, Event, EventType
from ennio.plugins.registry import Registry
from ennio.store import Transaction
from tests import made_database
from tests.actors.ground import kill
from tests.conftest import eventually
from tests.properties import examples

NAME = "relay:test"


class Relay(FollowerActor[Event]):
    """Passes events on to a list that outlives it; ``before`` and ``after`` may let it go wrong."""

    batch = 2
    passed: list[int]
    hooks: dict[str, Callable[[Any], None]]

    def handle(self, events: Sequence[Event]) -> int:
        self.hooks.get("before", _nothing)(self)
        self.passed.extend(event.seq for event in events)
        self.hooks.get("after", _nothing)(self)
        return len(events)

    def record(self, tx: Transaction, events: Sequence[Event], result: int) -> None:
        assert result == len(events)
        self.hooks.get("record", _nothing)(self)


def _nothing(_actor: object) -> None:
    """All goes well."""


class Log:
    """A store with a log, and a relay that can be started over it again and again."""

    def __init__(self, folder: Path) -> None:
        self.clock, home = ManualClock(), Home(folder / "home")
        self.store = made_database.opened(folder, self.clock)
        config = Config(source=folder / "ennio.yaml", directory=folder, projects=())
        plugins = Registry(home, self.clock)
        host = PluginHost(plugins, home, self.clock)
        self.deps = Dependencies(
            config, home, self.clock, self.store, plugins, ActorRegistry(), host
        )
        self.passed: list[int] = []
        self.hooks: dict[str, Callable[[Any], None]] = {}

    def write(
        self, count: int = 1, project: str = "shop", kind: EventType = EventType.CONFIG_REFUSED
    ) -> None:
        for _ in range(count):
            with self.store.transaction() as tx:
                tx.emit("", project, Draft(kind, "something"))

    @property
    def cursor(self) -> int | None:
        return self.store.cursors.get(NAME)

    @contextmanager
    def followed(self, **only: Any) -> Iterator[Any]:
        relay: type[Relay] = type("Relay", (Relay,), {"passed": self.passed, "hooks": self.hooks})
        ref = relay.start(self.deps, NAME, None, **only)
        ref.ask(Ping(), timeout=30)
        yield ref
        if ref.is_alive():
            ref.stop(timeout=30)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.store.close()


def test_who_follows_for_the_first_time_begins_with_what_comes_now(log: Log) -> None:
    log.write(3)
    with log.followed():
        log.write(2)
        eventually(lambda: log.passed == [4, 5] and log.cursor == 5)


def test_whatever_was_written_in_an_absence_is_caught_up_with(log: Log) -> None:
    with log.followed():
        pass
    log.write(7)
    with log.followed():
        eventually(lambda: log.passed == [1, 2, 3, 4, 5, 6, 7])
    with log.followed():
        pass
    assert log.passed == [1, 2, 3, 4, 5, 6, 7], "and once"


def test_only_what_is_asked_for_is_handled(log: Log) -> None:
    with log.followed(project_id="shop", types=[EventType.CONFIG_REFUSED]):
        log.write(project="blog")
        log.write(kind=EventType.CONFIG_ACCEPTED)
        log.write()
        eventually(lambda: log.passed == [3] and log.cursor == 3)


def test_a_batch_that_failed_is_tried_again_after_a_pause_that_grows(log: Log) -> None:
    tries: list[int] = []

    def away(_actor: object) -> None:
        tries.append(1)
        raise Unreachable("nobody is there")

    log.hooks["before"] = away
    with log.followed() as ref:
        log.write()
        for pause, tried in ((5, 1), (10, 2), (20, 3)):
            eventually(lambda wanted=tried: len(tries) == wanted)
            log.write()
            log.clock.advance(pause - 1)
            ref.tell(Wake())
            ref.ask(Ping(), timeout=30)
            assert len(tries) == tried, "and nobody is in a hurry"
            log.clock.advance(1)
            ref.tell(Wake())
        eventually(lambda: len(tries) == 4)
        assert log.cursor == 0
        del log.hooks["before"]
        log.clock.advance(40)
        ref.tell(Wake())
        eventually(lambda: log.passed == [1, 2, 3, 4])


def test_a_clock_that_is_put_back_keeps_nobody_waiting_for_it(log: Log) -> None:
    with log.followed() as ref:
        log.hooks["before"] = _away
        log.write()
        eventually(lambda: not ref.proxy().health.get().ok)
        del log.hooks["before"]
        log.clock.put(-3600)
        ref.tell(Wake())
        eventually(lambda: log.passed == [1])


def _away(_actor: object) -> None:
    raise Unreachable("nobody is there")


@pytest.mark.parametrize("step", ["before", "after", "record"])
def test_one_that_is_killed_between_two_steps_goes_on_without_a_gap(log: Log, step: str) -> None:
    def ends(actor: Relay) -> None:
        log.hooks.pop(step, None)
        kill(actor.actor_ref)
        raise RuntimeError("the power went out")

    with log.followed() as ref:
        log.hooks[step] = ends
        log.write(3)
        eventually(lambda: not ref.is_alive())
    with log.followed():
        eventually(lambda: log.cursor == 3)
    assert list(dict.fromkeys(log.passed)) == [1, 2, 3]


def test_what_cannot_be_written_leaves_the_cursor_where_it_was(log: Log) -> None:
    def full(_actor: object) -> None:
        del log.hooks["record"]
        raise Refused("the disk is full")

    with log.followed() as ref:
        log.hooks["record"] = full
        log.write()
        eventually(lambda: not ref.is_alive())
        assert log.cursor == 0
    with log.followed():
        eventually(lambda: log.cursor == 1)
    assert log.passed == [1, 1]


STEPS = st.lists(
    st.sampled_from(["write", "away", "kill", "restart", "wait"]), min_size=3, max_size=12
)


@settings(max_examples=examples(30), deadline=None)
@given(STEPS)
def test_no_order_of_deaths_and_failures_loses_an_event_or_changes_their_order(
    steps: Sequence[str],
) -> None:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        with log.followed():
            pass
        for step in steps:
            _play(log, step)
        with log.followed():
            eventually(lambda: log.cursor == log.store.events.last_seq())
        log.store.close()
    assert list(dict.fromkeys(log.passed)) == list(range(1, len(set(log.passed)) + 1))
    assert len(set(log.passed)) == steps.count("write") * 3


def _play(log: Log, step: str) -> None:
    with log.followed() as ref:
        if step == "write":
            log.write(3)
        elif step == "away":
            log.hooks["before"] = _away
            ref.tell(Wake())
            ref.ask(Ping(), timeout=30)
            log.hooks.clear()
        elif step == "kill":
            kill(ref)
            eventually(lambda: not ref.is_alive())
        elif step == "wait":
            log.clock.advance(600)
            ref.tell(Wake())
