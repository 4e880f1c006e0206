"""How often an agent is read: soon while it starts, and not at all while
nothing of it has changed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ennio.actors.look_schedule import LookSchedule
from ennio.actors.messages import AgentObserved, RuntimeObserved
from ennio.actors.outbox import Outbox
from ennio.actors.registry import AGENTS
from ennio.actors.session_state import SessionState
from ennio.actors.session_step import Observations
from ennio.actors.subscriptions import Subscriptions
from ennio.config.model import Poll
from ennio.hosts import reader
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent.interface import AgentContext
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def test_when_a_round_is_due_it_is_everybodys_turn_and_nobody_is_in_a_hurry_after_it() -> None:
    looks = LookSchedule(due=5.0).expedite("b")
    turn, after = looks.take(("a", "b", "c"), (), now=5.0, wait=1.0, seldom=15.0)
    assert (turn, after) == (("a", "b", "c"), LookSchedule(due=20.0, soon=6.0))


def test_between_two_rounds_those_for_whom_nobody_waits_have_a_turn_of_their_own() -> None:
    looks = LookSchedule(due=20.0, soon=6.0).expedite("c")
    turn, after = looks.take(("a", "b", "c"), {"a", "gone"}, now=6.0, wait=1.0, seldom=15.0)
    assert (turn, after) == (("a", "c"), LookSchedule(due=20.0, soon=7.0))


def test_who_is_in_a_hurry_has_a_turn_before_all_and_the_rounds_stay_when_they_were() -> None:
    looks = LookSchedule(due=5.0, soon=5.0).expedite("b").expedite("gone")
    turn, after = looks.take(("a", "b", "c"), {"a"}, now=4.9, wait=1.0, seldom=15.0)
    assert (turn, after) == (("b",), LookSchedule(due=5.0, soon=5.0))


def test_who_asks_for_all_makes_the_round_due() -> None:
    looks = LookSchedule(due=500.0, soon=500.0).expedite("b").expedite(None)
    turn, after = looks.take(("a", "b"), (), now=4.0, wait=1.0, seldom=1.0)
    assert (turn, after) == (("a", "b"), LookSchedule(due=5.0, soon=5.0))


def _ticks(stage: Stage) -> None:
    before = stage.orchestrator.supervisor.health()[AGENTS].looks
    eventually(lambda: stage.orchestrator.supervisor.health()[AGENTS].looks >= before + 20)
    stage.quiet()


def test_an_agent_is_read_again_once_one_of_its_files_has_changed(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        session_id, file, reads = stage.working(), tmp_path / "story", []
        observe = type(stage.agent).observe

        def counted(agent: object, desk: AgentContext, *more: object) -> object:
            reads.append(desk.session_id)
            return observe(agent, desk, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(type(stage.agent), "observe", counted)
        monkeypatch.setattr(
            type(stage.agent), "files", lambda _agent, _desk, _cursor: (file,), raising=False
        )
        monkeypatch.setattr(
            reader, "_OFFERS", {}
        )  # what a class offers is asked once, and it was asked already
        _ticks(stage)
        reads.clear()
        _ticks(stage)
        assert reads == []

        for words in ("begun", "changed"):
            stage.says(
                session_id,
                Activity.READY if words == "changed" else Activity.WAITING_INPUT,
                ready=True,
            )
            file.write_text(words)
            os.utime(
                file, (len(words), len(words))
            )  # so long ago that its next change is sure to show
            eventually(lambda: reads)
            _ticks(stage)
            reads.clear()
            _ticks(stage)
            assert reads == []
        assert stage.session(session_id).activity is Activity.READY


def test_an_agent_without_files_of_its_own_is_read_in_every_round(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        stage.working()
        reads: list[object] = []
        observe = type(stage.agent).observe
        monkeypatch.setattr(
            type(stage.agent),
            "observe",
            lambda agent, *more: reads.append(agent) or observe(agent, *more),
        )
        _ticks(stage)
        assert len(reads) >= 15


def test_an_agent_that_starts_is_read_before_its_turn_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(tmp_path, {"poll": Poll(0.02, 0.02, 0.02)})
    with play.opened() as stage:
        first = stage.working()
    play.settings["poll"] = Poll(0.02, 600.0, 0.02)
    reads: list[str] = []
    observe = type(play.agent).observe

    def counted(agent: object, desk: AgentContext, *more: object) -> object:
        reads.append(desk.session_id)
        return observe(agent, desk, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(play.agent), "observe", counted)
    with play.opened() as stage:
        starting = stage.launched("another")
        _ticks(stage)
        stage.settle_in(starting)
        assert reads.count(first) <= 2


def test_an_end_that_was_seen_before_a_launch_is_not_believed_after_it(play: Play) -> None:
    with play.opened() as stage:
        state = SessionState.load(stage.deps, stage.working())
        outbox = Outbox(stage.deps, state)
        subscriptions = Subscriptions(stage.deps, state, outbox)
        observations = Observations(stage.deps, state, outbox, subscriptions)
        gone = ProcessSeen(Presence.GONE, stage.deps.clock.now(), "survey")
        assert not observations.on_process(RuntimeObserved(gone, time.monotonic())), (
            "its last words are waited for"
        )
        observations.distrust()
        observations.on_agent(AgentObserved(None, time.monotonic()))
        assert state.facts.process is not None
        assert state.facts.process.presence is Presence.UNKNOWN
