"""The ten deaths of an actor, and what is promised about each: one ``Down``, nobody left
registered, nobody left waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent
import pykka
import pytest

from ennio.actors.actor import Actor
from ennio.actors.messages import Down, EffectResult, Ping
from ennio.model.errors import Conflict, Unreachable
from tests.actors.ground import greenlet_of, kill
from tests.conftest import eventually


@dataclass(frozen=True, slots=True)
class Do:
    """Run this inside of the actor."""

    what: Callable[[], Any]


class Watcher(Actor):
    """Collects what it is told about others."""

    def __init__(self) -> None:
        super().__init__("watcher")
        self.downs: list[Down] = []

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Down):
            self.downs.append(message)
            return None
        return tuple(self.downs)


class Mortal(Actor):
    """Does what it is told, and fails where it is told."""

    def __init__(
        self, watcher: Any, *, fails_in: str = "", failing: BaseException | None = None
    ) -> None:
        super().__init__("mortal", watcher)
        self._fails_in = fails_in
        self._failing = failing or RuntimeError("a bug")
        self.seen: list[Any] = []
        if fails_in == "constructor":
            raise self._failing

    def on_start(self) -> None:
        if self._fails_in == "on_start":
            raise self._failing

    def on_stop(self) -> None:
        if self._fails_in == "on_stop":
            raise self._failing

    def on_receive(self, message: Any) -> Any:
        match message:
            case Do(what):
                return what()
            case "perform":
                return self.perform("deed", lambda: gevent.sleep(600))
            case "perform wrongly":
                return self.perform("deed", _bug)
            case "perform unreachably":
                return self.perform("deed", _unreachable)
            case EffectResult():
                self.seen.append(message)
        return tuple(self.seen)


def _bug() -> None:
    raise ValueError("a bug")


def _conflict() -> None:
    raise Conflict("not now")


def _unreachable() -> None:
    raise Unreachable("nobody there")


def _leak() -> None:
    raise gevent.Timeout(1)


@pytest.fixture
def watcher() -> Iterator[Any]:
    ref = Watcher.start()
    yield ref
    ref.stop(timeout=30)


def _dies(watcher: Any, ref: Any) -> str | None:
    """Wait for the one word about its end, look for what must not be left, and return its error."""
    downs = eventually(lambda: watcher.ask(Ping(), timeout=30))
    gevent.idle()
    assert isinstance(downs, tuple)
    assert watcher.ask(Ping(), timeout=30) == downs, "told once"
    assert len(downs) == 1
    assert (downs[0].name, downs[0].urn) == ("mortal", ref.actor_urn)
    assert not ref.is_alive()
    assert pykka.ActorRegistry.get_by_urn(ref.actor_urn) is None
    with pytest.raises(pykka.ActorDeadError):
        ref.ask(Ping(), timeout=1)
    assert watcher.is_alive(), "others live on"
    error = downs[0].error
    assert error is None or isinstance(error, str)
    return error


def test_death_1_in_the_constructor_is_raised_to_whoever_starts_it(watcher: Any) -> None:
    before = pykka.ActorRegistry.get_all()
    with pytest.raises(RuntimeError, match="a bug"):
        Mortal.start(watcher, fails_in="constructor")
    assert pykka.ActorRegistry.get_all() == before
    assert watcher.ask(Ping(), timeout=30) == ()


@pytest.mark.parametrize("failing", [RuntimeError("a bug"), gevent.Timeout(1)])
def test_death_2_in_on_start(watcher: Any, failing: BaseException) -> None:
    ref = Mortal.start(watcher, fails_in="on_start", failing=failing)
    assert type(failing).__name__ in str(_dies(watcher, ref))


def test_death_3_by_a_bug_in_a_tell(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.tell(Do(_bug))
    assert "ValueError: a bug" in str(_dies(watcher, ref))


@pytest.mark.parametrize("failing", [RuntimeError("a bug"), gevent.Timeout(1)])
def test_death_4_in_on_stop(watcher: Any, failing: BaseException) -> None:
    ref = Mortal.start(watcher, fails_in="on_stop", failing=failing)
    ref.stop(block=False)
    assert type(failing).__name__ in str(_dies(watcher, ref))


def test_death_5_by_being_told_to_stop_is_no_error(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.stop(timeout=30)
    assert _dies(watcher, ref) is None


def test_death_6_killed_while_idle(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.ask(Ping(), timeout=30)
    kill(ref)
    waiting = ref.ask(Ping(), block=False)
    assert _dies(watcher, ref) == "killed"
    with pytest.raises(pykka.ActorDeadError):
        waiting.get(timeout=30)


def test_death_7_killed_while_it_answers(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    answer = ref.ask(Do(lambda: gevent.sleep(600)), block=False)
    waiting = ref.ask(Ping(), block=False)
    gevent.idle()
    kill(ref)
    assert "GreenletExit" in str(_dies(watcher, ref))
    with pytest.raises(Exception, match="GreenletExit"):
        answer.get(timeout=30)
    with pytest.raises(pykka.ActorDeadError):
        waiting.get(timeout=30)


def test_death_8_killed_while_it_works_on_a_tell(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.tell(Do(lambda: gevent.sleep(600)))
    waiting = ref.ask(Ping(), block=False)
    gevent.idle()
    kill(ref)
    assert "GreenletExit" in str(_dies(watcher, ref))
    with pytest.raises(pykka.ActorDeadError):
        waiting.get(timeout=30)


@pytest.mark.parametrize("ask", [True, False], ids=["death_9_ask", "death_10_tell"])
def test_a_leaked_timeout_ends_this_actor_and_no_other(watcher: Any, ask: bool) -> None:
    other = Mortal.start(None)
    ref = Mortal.start(watcher)
    if ask:
        with pytest.raises(Exception, match="Timeout"):
            ref.ask(Do(_leak), timeout=30)
    else:
        ref.tell(Do(_leak))
    assert "Timeout" in str(_dies(watcher, ref))
    assert other.ask(Ping(), timeout=30) == ()
    other.stop(timeout=30)


def test_a_bug_in_an_ask_goes_to_the_asker_and_ends_the_actor(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    with pytest.raises(ValueError, match="a bug"):
        ref.ask(Do(_bug), timeout=30)
    assert "ValueError" in str(_dies(watcher, ref))


def test_an_error_of_ours_in_an_ask_is_an_answer(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    with pytest.raises(Conflict, match="not now"):
        ref.ask(Do(_conflict), timeout=30)
    assert ref.ask(Ping(), timeout=30) == ()
    assert watcher.ask(Ping(), timeout=30) == ()
    ref.stop(timeout=30)


def test_effects_end_with_the_actor(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    effect = ref.ask("perform", timeout=30)
    gevent.idle()
    kill(ref)
    _dies(watcher, ref)
    eventually(lambda: effect.dead)


def test_a_bug_in_an_effect_ends_the_actor(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.tell("perform wrongly")
    assert _dies(watcher, ref) == "effect failed: ValueError: a bug"


def test_an_error_of_ours_in_an_effect_is_told_to_the_actor(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.tell("perform unreachably")
    (told,) = eventually(lambda: ref.ask(Ping(), timeout=30))  # type: ignore[misc]
    assert isinstance(told.error, Unreachable)
    ref.stop(timeout=30)


def test_an_effect_does_not_keep_the_mailbox_waiting(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    ref.ask("perform", timeout=30)
    assert ref.ask(Ping(), timeout=30) == ()
    ref.stop(timeout=30)


def test_an_ask_that_takes_too_long_is_a_timeout_and_harms_nobody(watcher: Any) -> None:
    ref = Mortal.start(watcher)
    with pytest.raises(pykka.Timeout):
        ref.ask(Do(lambda: gevent.sleep(0.1)), timeout=0.02)
    assert ref.ask(Ping(), timeout=30) == ()
    assert not greenlet_of(ref).dead
    ref.stop(timeout=30)
