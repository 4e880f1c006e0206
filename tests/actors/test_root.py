"""The root supervisor: who starts when, who comes back, and who is given up in full view."""

from __future__ import annotations

import errno
import random
from dataclasses import replace
from typing import Any

import pykka
import pytest

from ennio.actors import root as roots
from ennio.actors.messages import CrashForTest, ListChildren, Ping
from ennio.actors.reaction import ReactionActor
from ennio.actors.registry import (
    AGENTS,
    MERGES,
    NOTICES,
    QUEUE,
    REACTIONS,
    ActorRegistry,
    forge_name,
    runtime_name,
    session_name,
)
from ennio.actors.root import RootSupervisor
from ennio.actors.session import SessionActor
from ennio.model.errors import Unreachable
from ennio.model.session import Priority, Session, SessionStatus
from ennio.policy.breaker import Breaker
from tests.actors.ground import Play, Stage, kill
from tests.conftest import eventually

FIXED = [NOTICES, MERGES, REACTIONS, runtime_name("stub"), AGENTS, forge_name("play"), QUEUE]


def test_everybody_starts_in_order_and_stops_in_reverse(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    real_launch = RootSupervisor._launch

    def launch(self: RootSupervisor, child: Any) -> Any:
        started.append(child.name)
        return real_launch(self, child)

    monkeypatch.setattr(RootSupervisor, "_launch", launch)
    stopped: list[str] = []
    with play.opened() as stage:
        session_id = stage.working()
        names = {
            ref.actor_urn: name
            for name in stage.deps.actors.names()
            if (ref := stage.deps.actors.ref(name))
        }
        real_stop = pykka.ActorRef.stop

        def stop(self: Any, **how: Any) -> Any:
            stopped.append(names.get(self.actor_urn, ""))
            return real_stop(self, **how)

        monkeypatch.setattr(pykka.ActorRef, "stop", stop)
    assert started == [*FIXED, session_name(session_id)]
    assert [name for name in stopped if name != "root"] == list(reversed(started))


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_child_comes_back_every_time_and_sessions_go_on(stage: Stage, name: str) -> None:
    session_id = stage.working()
    for _ in range(7):
        stage.crash(name)
        stage.clock.advance(120)
    stage.rests(session_id)
    stage.look()
    assert stage.root.ask(ListChildren(), timeout=30)[name][0] == "running"


@pytest.mark.parametrize("name", [runtime_name("stub"), AGENTS, forge_name("play")])
def test_sessions_tell_a_poller_that_was_restarted_what_to_look_for(
    stage: Stage, name: str
) -> None:
    session_id = stage.working()
    stage.crash(name)
    eventually(lambda: stage.orchestrator.supervisor.health()[name].watched == 1)
    stage.runtime.finish(session_id, exit_code=3)
    stage.until(session_id, SessionStatus.EXITED)


def test_a_fixed_child_that_cannot_start_for_a_while_is_tried_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = ReactionActor.__init__, []

    def failing(self: ReactionActor, *args: Any) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise Unreachable("not yet")
        real(self, *args)

    monkeypatch.setattr(ReactionActor, "__init__", failing)
    before = stage.deps.actors.ref(REACTIONS)
    assert before is not None
    kill(before)
    eventually(lambda: len(tries) == 4 and stage.alive(REACTIONS))
    assert stage.root.is_alive()


def test_a_session_that_crashed_is_adopted_and_its_agent_never_notices(stage: Stage) -> None:
    session_id = stage.working()
    stage.crash_session(session_id)
    eventually(lambda: "session_adopted" in stage.types(session_id))
    assert any("told to crash" in words for words in stage.words(session_id))
    stage.look()
    session = stage.session(session_id)
    assert (session.status, session.no_signal_since) == (SessionStatus.WORKING, None)
    assert len(stage.runtime.launches) == 1
    stage.runtime.finish(session_id, exit_code=1)
    stage.until(session_id, SessionStatus.EXITED)


def test_a_session_whose_pane_stays_the_same_is_seen_again_after_its_actor_crashed(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.look()
    stage.crash_session(session_id)
    stage.look()
    stage.pass_time(60)
    stage.look()
    assert "signal_lost" not in stage.types(session_id)


def _crash_until_given_up(stage: Stage, name: str) -> None:
    def given_up() -> bool:
        stage.deps.actors.tell(name, CrashForTest())
        state: str = stage.root.ask(ListChildren(), timeout=30)[name][0]
        return state == "given up"

    eventually(given_up)


def test_a_session_that_cannot_live_is_given_up_in_full_view_and_revived_by_restore(
    stage: Stage,
) -> None:
    session_id, other = stage.working("one"), stage.working("two")
    name = session_name(session_id)
    _crash_until_given_up(stage, name)
    lost = [
        e
        for e in stage.deps.store.events.list_by_session(session_id, limit=500)
        if e.event_type == "signal_lost"
    ]
    assert [event.priority for event in lost] == [Priority.CRITICAL]
    assert "told to crash" in lost[0].message
    assert f"ennio session restore {session_id}" in lost[0].message
    assert stage.orchestrator.supervisor.status()["actors"]["troubled"][name]["state"] == "given up"
    with pytest.raises(Unreachable, match="restore"):
        stage.orchestrator.sessions.kill(session_id)
    assert stage.alive(session_name(other))
    stage.orchestrator.sessions.restore(session_id)
    eventually(lambda: stage.alive(name))
    stage.look()
    assert stage.orchestrator.sessions.kill(session_id).status is SessionStatus.KILLED


class Obstacle:
    """Keeps session actors from starting until it is ``gone``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self.gone = False
        self.tries = 0
        real = SessionActor.on_start

        def start(actor: SessionActor) -> None:
            self.tries += 1
            if not self.gone:
                raise error
            real(actor)

        monkeypatch.setattr(SessionActor, "on_start", start)


def test_a_session_that_was_given_up_is_shown_as_such_and_tried_again_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "FIRST_PAUSE", 0.05)
    session_id = stage.working()
    obstacle = Obstacle(monkeypatch, RuntimeError("a bug at its start"))
    stage.deps.actors.tell(session_name(session_id), CrashForTest())
    shown = eventually(lambda: (session := stage.session(session_id)).no_signal_since and session)
    assert isinstance(shown, Session)
    assert "nobody watches it" in (shown.reason or "")
    assert "a bug at its start" in (shown.reason or "")
    obstacle.gone = True
    eventually(lambda: stage.alive(session_name(session_id)))
    stage.look()
    session = stage.session(session_id)
    assert (session.status, session.no_signal_since) == (SessionStatus.WORKING, None)
    assert "nobody watches it" not in (session.reason or "")
    assert stage.types(session_id).count("signal_lost") == 1, "told once"


def test_a_disk_that_is_full_when_an_actor_starts_is_held_against_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0.01)
    session_id = stage.working()
    obstacle = Obstacle(
        monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/home/pat/.ennio/sessions")
    )
    stage.deps.actors.tell(session_name(session_id), CrashForTest())
    eventually(lambda: obstacle.tries > 3 * roots.INTENSITY.attempts)
    state, error = stage.root.ask(ListChildren(), timeout=30)[session_name(session_id)]
    assert state != "given up"
    assert "No space left" in (error or "")
    obstacle.gone = True
    eventually(lambda: stage.alive(session_name(session_id)))
    assert "signal_lost" not in stage.types(session_id)


def test_a_time_up_forgives(stage: Stage) -> None:
    session_id = stage.working()
    for _ in range(2 * roots.INTENSITY.attempts):
        stage.crash_session(session_id)
        stage.clock.advance(roots.INTENSITY.within)
    assert stage.alive(session_name(session_id))


def _another(stage: Stage, session_id: str, before: Any) -> bool:
    return (
        stage.alive(session_name(session_id))
        and stage.deps.actors.ref(session_name(session_id)) is not before
    )


def test_fifty_sessions_that_crash_at_once_are_one_outage_and_all_come_back(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        random, "uniform", lambda low, high: (high - low) / 20
    )  # spread out, but over less time
    play.settings["project"] = {"forge": None}
    with play.opened() as stage:
        ids = [stage.spawn(str(number)) for number in range(50)]
        eventually(lambda: len(stage.runtime.launches) == 50)
        for _ in range(roots.INTENSITY.attempts + 2):
            before = {
                session_id: stage.deps.actors.ref(session_name(session_id)) for session_id in ids
            }
            for session_id in ids:
                assert stage.deps.actors.tell(session_name(session_id), CrashForTest())
            eventually(
                lambda was=before: all(
                    _another(stage, session_id, was[session_id]) for session_id in ids
                )
            )
        states = {state for state, _ in stage.root.ask(ListChildren(), timeout=30).values()}
        assert states == {"running"}
        assert len(stage.runtime.launches) == 50


def test_the_breaker_is_what_saves_them(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the same outage gives them up: the test above can fail."""
    monkeypatch.setattr(Breaker, "is_open", lambda _self, _now: False)
    with play.opened() as stage:
        ids = [stage.working(str(number)) for number in range(3)]
        for session_id in ids:
            _crash_until_given_up(stage, session_name(session_id))


def test_a_session_actor_that_was_never_told_of_its_admission_finds_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SessionActor.on_receive

    def deaf(self: SessionActor, message: Any) -> Any:
        return None if type(message).__name__ == "Admit" else real(self, message)

    monkeypatch.setattr(SessionActor, "on_receive", deaf)
    session_id = stage.spawn(held=True)
    eventually(lambda: stage.alive(session_name(session_id)))
    stage.orchestrator.queue.release(session_id)
    stage.quiet()
    assert not stage.runtime.launches
    stage.crash_session(session_id)
    eventually(lambda: stage.runtime.launches)


def test_when_the_root_itself_dies_somebody_is_told(stage: Stage) -> None:
    last_words: list[str] = []
    root = RootSupervisor.start(replace(stage.deps, actors=ActorRegistry()), [], last_words.append)
    root.ask(Ping(), timeout=30)
    with pytest.raises(AssertionError):
        root.ask(object(), timeout=30)
    eventually(lambda: last_words)
    assert "AssertionError" in last_words[0]


def test_a_root_that_is_told_to_stop_dies_in_silence(stage: Stage) -> None:
    last_words: list[str] = []
    root = RootSupervisor.start(replace(stage.deps, actors=ActorRegistry()), [], last_words.append)
    root.ask(Ping(), timeout=30)
    root.stop(timeout=30)
    assert not last_words
