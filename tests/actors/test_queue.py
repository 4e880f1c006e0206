"""The queue as people meet it: limits, order, holding, and a floor of free memory."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ennio.actors import queue
from ennio.actors.messages import QueueChanged
from ennio.actors.orchestrator.session_view import QueuePlace
from ennio.actors.registry import QUEUE
from ennio.actors.spawning import SpawnRequest
from ennio.config.model import AuthType, SshAuth, SshConfig
from ennio.hosts.interface import Host
from ennio.machine.local import LocalMachine
from ennio.machine.ssh.errors import LoginRefused
from ennio.model.errors import Conflict
from ennio.model.session import SessionStatus
from ennio.policy.admission import MEMORY_PER_SESSION
from ennio.policy.turn_inputs import Turn
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _launched(stage: Stage) -> list[str]:
    return [launch.name for launch in stage.runtime.launches]


def _in_turn(stage: Stage, *prompts: str) -> list[str]:
    """Sessions asked for one after the other."""
    ids = []
    for prompt in prompts:
        ids.append(stage.spawn(prompt))
        stage.clock.advance(1)
    return ids


def test_who_ends_makes_room_for_the_next(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 2}
    with play.opened() as stage:
        first, second, third = _in_turn(stage, "1", "2", "3")
        eventually(lambda: len(_launched(stage)) == 2)
        eventually(lambda: "2 of 2 sessions" in stage.deps.store.queue.list()[0].reason)
        assert stage.session(third).status is SessionStatus.SPAWNING
        stage.orchestrator.sessions.kill(first)
        eventually(lambda: _launched(stage) == [first, second, third])


def test_a_host_runs_no_more_sessions_than_it_may_and_says_so(play: Play) -> None:
    ssh = SshConfig("far", "me", SshAuth(AuthType.AGENT), max_sessions=2)
    play.settings["project"] = {"ssh": ssh}
    with play.opened() as stage:
        machines = cast("dict[str, Host]", stage.deps.other_machines)
        machines["me@far"] = stage.deps.this_machine
        first, second, third = _in_turn(stage, "1", "2", "3")
        eventually(lambda: len(_launched(stage)) == 2)
        full = "host me@far runs 2 of 2 sessions (ssh_config.max_sessions)"
        eventually(lambda: stage.deps.store.queue.list()[0].reason == full)
        assert f"queued: {full}" in stage.words(third)
        stage.orchestrator.sessions.kill(first)
        eventually(lambda: _launched(stage) == [first, second, third])


def test_what_only_a_person_can_mend_on_a_host_is_told_as_that_and_starts_once_it_is(
    play: Play,
) -> None:
    play.settings["project"] = {"ssh": SshConfig("far", "me", SshAuth(AuthType.AGENT))}
    with play.opened() as stage:
        far = Refuses(stage.deps.this_machine)
        cast("dict[str, Any]", stage.deps.other_machines)["me@far"] = far
        session_id = stage.spawn("1")
        turn = eventually(
            lambda: (t := stage.orchestrator.sessions.detail(session_id)).turn is Turn.YOU and t
        )
        assert (turn.word, turn.rule) == ("blocked", "8b")  # type: ignore[attr-defined]
        assert "ssh-keygen -R far" in turn.turn_why  # type: ignore[attr-defined]
        why = f"queued: host me@far cannot be asked what room it has: {far.why}"
        assert stage.words(session_id).count(why) == 1
        far.why = None
        eventually(lambda: _launched(stage) == [session_id], 30)


class Refuses:
    """A machine that lets nobody in until a person has seen to it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.why: str | None = "its key has changed: ssh-keygen -R far"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def free_memory(self) -> int | None:
        if self.why is not None:
            raise LoginRefused(self.why)
        return self._host.free_memory()


def test_who_asks_for_a_session_hears_at_once_whether_it_starts_or_what_it_waits_for(
    play: Play,
) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first, second = (
            stage.orchestrator.sessions.spawn(SpawnRequest("play", prompt=prompt))
            for prompt in "12"
        )
        assert stage.orchestrator.sessions.detail(first.id).queued is None
        waits = stage.orchestrator.sessions.detail(second.id).queued
        assert waits == QueuePlace(1, "project play has 1 of 1 sessions (max_sessions)", held=False)
        assert f"queued: {waits.reason}" in stage.words(second.id)
        stage.pass_time(queue.LOOK_EVERY)
        stage.quiet()
        assert stage.words(second.id).count(f"queued: {waits.reason}") == 1
        stage.orchestrator.sessions.kill(first.id)
        eventually(lambda: "session_spawned" in stage.types(second.id))


def test_who_is_held_lets_others_pass_until_released(stage: Stage) -> None:
    held = stage.spawn("held", held=True)
    other = stage.spawn("other")
    eventually(lambda: _launched(stage) == [other])
    eventually(lambda: "ennio queue release" in stage.deps.store.queue.list()[0].reason)
    stage.orchestrator.queue.release(held)
    eventually(lambda: _launched(stage) == [other, held])


def test_priority_comes_before_age_and_a_place_can_be_taken(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first = stage.spawn("first")
        eventually(lambda: _launched(stage) == [first])
        names = {}
        for name, priority in (("a", 0), ("b", 0), ("urgent", 5), ("c", 0)):
            stage.clock.advance(1)
            names[name] = stage.spawn(name, priority=priority)
        stage.orchestrator.queue.move(names["c"], 1)
        order = [first, names["urgent"], names["c"], names["a"], names["b"]]
        for place in range(1, len(order)):
            stage.orchestrator.sessions.kill(order[place - 1])
            eventually(lambda wanted=order[: place + 1]: _launched(stage) == wanted)


def test_what_a_person_does_to_the_queue_is_an_event_and_what_changes_nothing_is_none(
    play: Play,
) -> None:
    """A hold was seen on another's board half a minute later."""
    play.settings["project"] = {"max_sessions": 0}
    with play.opened() as stage:
        (waits,) = _in_turn(stage, "1")
        for order in (
            stage.orchestrator.queue.hold,
            stage.orchestrator.queue.hold,
            stage.orchestrator.queue.release,
            stage.orchestrator.queue.release,
        ):
            order(waits)
        stage.orchestrator.queue.set_priority(waits, 3)
        stage.orchestrator.queue.set_priority(waits, 3)
        stage.orchestrator.queue.move(waits, 1)
        events = stage.deps.store.events.list_by_session(waits)
        steps = [event.data.get("step") for event in events]
        told = [one for one in steps if one in ("held", "released", "priority", "moved")]
        assert told == ["held", "released", "priority", "moved"]


def test_a_session_taken_out_of_the_queue_never_starts(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first, second = _in_turn(stage, "1", "2")
        eventually(lambda: _launched(stage) == [first])
        assert stage.orchestrator.queue.drop(second).status is SessionStatus.KILLED
        stage.orchestrator.sessions.kill(first)
        stage.quiet()
        assert _launched(stage) == [first]
        with pytest.raises(Conflict, match="does not wait in the queue"):
            stage.orchestrator.queue.hold(second)


def test_incident_36_too_little_memory_keeps_the_queue_waiting(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [100 * 1024 * 1024]
    monkeypatch.setattr(LocalMachine, "free_memory", lambda _: free[0])
    play.settings["min_free_memory"] = 512 * 1024 * 1024
    with play.opened() as stage:
        session_id = stage.spawn()
        eventually(
            lambda: (
                "100 MiB of memory are free, 512 MiB must be"
                in stage.deps.store.queue.list()[0].reason
            )
        )
        free[0] = 1024 * 1024 * 1024
        stage.pass_time(5)
        eventually(lambda: _launched(stage) == [session_id])


def test_incident_36_those_that_have_not_taken_their_memory_yet_are_counted_with_it(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty asked for one after the other do not all pass because each
    measures the same free memory.
    """
    room = 3
    available = 512 * 1024 * 1024 + room * MEMORY_PER_SESSION - 1
    monkeypatch.setattr(LocalMachine, "free_memory", lambda _: available)
    play.settings["min_free_memory"] = 512 * 1024 * 1024
    with play.opened() as stage:
        for number in range(20):
            stage.spawn(str(number))
            stage.quiet()
        stage.look()
        assert len(_launched(stage)) == room


def test_a_queue_survives_the_house(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first, second = _in_turn(stage, "1", "2")
        eventually(lambda: _launched(stage) == [first])
    with play.opened() as stage:
        assert [waiting.session_id for waiting in stage.deps.store.queue.list()] == [second]
        stage.orchestrator.sessions.kill(first)
        eventually(lambda: _launched(stage) == [first, second])


def _ended(stage: Stage, prompt: str) -> str:
    """A session whose agent failed and was not started again."""
    session_id = stage.working(prompt)
    stage.runtime.finish(session_id, exit_code=1)
    stage.until(session_id, SessionStatus.EXITED)
    return session_id


def _launches(stage: Stage, session_id: str) -> list[int]:
    return [launch.number for launch in stage.runtime.launches if launch.name == session_id]


def test_a_restored_session_waits_for_its_place_like_a_new_one(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first = _ended(stage, "1")
        second = stage.working("2")
        restored = stage.orchestrator.sessions.restore(first)
        assert restored.status is SessionStatus.SPAWNING
        shown = stage.orchestrator.sessions.detail(restored.id).queued
        assert shown == QueuePlace(1, "project play has 1 of 1 sessions (max_sessions)", held=False)
        stage.look()
        assert _launches(stage, first) == [1]
        with pytest.raises(Conflict, match="only an exited session"):
            stage.orchestrator.sessions.restore(first)
        stage.orchestrator.sessions.kill(second)
        eventually(lambda: _launches(stage, first) == [1, 2])
        stage.settle_in(first)
        assert stage.orchestrator.sessions.detail(first).queued is None


def test_of_two_restored_sessions_only_as_many_start_as_there_is_room_for(play: Play) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first, second = _ended(stage, "1"), _ended(stage, "2")
        stage.orchestrator.sessions.restore(first)
        waiting = stage.orchestrator.sessions.restore(second)
        stage.look()
        assert (_launches(stage, first), _launches(stage, second)) == ([1, 2], [1])
        assert stage.orchestrator.sessions.detail(waiting.id).queued
        stage.runtime.finish(first, exit_code=1)
        stage.until(first, SessionStatus.EXITED)
        eventually(lambda: _launches(stage, second) == [1, 2])


def test_a_restored_session_keeps_its_place_over_a_crash_and_the_end_of_the_house(
    play: Play,
) -> None:
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first = _ended(stage, "1")
        second = stage.working("2")
        stage.orchestrator.sessions.restore(first)
        stage.crash_session(first)
    with play.opened() as stage:
        stage.look()
        assert [waiting.session_id for waiting in stage.deps.store.queue.list()] == [first]
        assert _launches(stage, first) == [1]
        stage.orchestrator.sessions.kill(second)
        eventually(lambda: _launches(stage, first) == [1, 2])


def test_who_was_ended_while_the_queue_looked_is_not_admitted(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read a moment ago may have been taken by another since: the
    row that is taken says so.
    """
    play.settings["project"] = {"max_sessions": 1}
    with play.opened() as stage:
        first, second = _in_turn(stage, "1", "2")
        eventually(lambda: _launched(stage) == [first])
        store = stage.deps.store
        listed = store.queue.list()
        stage.orchestrator.sessions.kill(second)
        monkeypatch.setattr(store.queue, "list", lambda: listed)
        stage.orchestrator.sessions.kill(first)
        stage.deps.actors.ask(QUEUE, QueueChanged())
        assert "admitted" not in stage.words(second)
        assert store.queue.get(second) is None
        monkeypatch.undo()
