"""Incidents 34 and 35: while nothing happens little is asked, nothing is
written and nothing is started.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gevent.event import Event

from ennio.actors.registry import AGENTS, forge_name, runtime_name
from ennio.model.message import MessageState
from ennio.model.pulls import CheckState
from ennio.model.session import SessionStatus
from ennio.plugins.forge.interface import Forge
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

SOURCES = (runtime_name("stub"), AGENTS, forge_name("play"))


def _written(stage: Stage) -> int:
    """Rows written by the one connection there is, since it was opened."""
    return int(stage.deps.store._connection.sql("select total_changes()").fetchone()[0])


def _twenty_ticks(stage: Stage) -> None:
    before = {name: stage.orchestrator.supervisor.health()[name].looks for name in SOURCES}
    eventually(
        lambda: all(
            stage.orchestrator.supervisor.health()[name].looks >= before[name] + 20
            for name in SOURCES
        ),
        within=60,
    )
    stage.quiet()


@pytest.mark.parametrize("output", [False, True], ids=["silent", "with a clock on the screen"])
def test_incident_35_fifty_idle_sessions_write_nothing_in_twenty_ticks(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: bool
) -> None:
    with play.opened() as stage:
        ids = [stage.working(f"number {n}") for n in range(50)]
        for session_id in ids[:10]:
            stage.forge.checks(stage.pull(session_id), CheckState.PASSING)
        for session_id in ids[10:]:
            stage.rests(session_id)
        stage.look()
        started: list[object] = []
        monkeypatch.setattr(subprocess, "Popen", lambda *words, **_more: started.append(words))
        rows, pages = _written(stage), (tmp_path / "ennio.db-wal").stat().st_size
        for _ in range(3 if output else 1):
            if output:
                for session_id in ids:
                    stage.runtime.show(
                        session_id, f"{stage.clock.now()}", title=f"{stage.clock.now()}"
                    )
            _twenty_ticks(stage)
            stage.clock.advance(1)
        assert _written(stage) - rows == 0
        assert (tmp_path / "ennio.db-wal").stat().st_size == pages
        assert not started


def test_what_counts_as_written_is_counted(stage: Stage) -> None:
    """The counter above is evidence only if it moves when something is written."""
    session_id = stage.working()
    before = _written(stage)
    stage.rests(session_id)
    eventually(lambda: _written(stage) > before)


def _fifty_green(stage: Stage) -> list[str]:
    ids = [stage.working(f"number {n}") for n in range(50)]
    for session_id in ids:
        stage.forge.checks(stage.pull(session_id), CheckState.PASSING)
    stage.look()
    assert {stage.session(session_id).status for session_id in ids} == {SessionStatus.CI_PASSING}
    return ids


def test_incident_34_the_forge_is_asked_once_a_tick_for_fifty_quiet_pull_requests(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        _fifty_green(stage)
        asked: Counter[str] = Counter()
        for name in (
            name
            for name in dir(Forge)
            if not name.startswith("_") and callable(getattr(stage.forge, name))
        ):
            monkeypatch.setattr(
                stage.forge, name, _counted(asked, name, getattr(stage.forge, name))
            )
        before = stage.orchestrator.supervisor.health()[forge_name("play")].looks
        _twenty_ticks(stage)
        looks = stage.orchestrator.supervisor.health()[forge_name("play")].looks - before
        assert set(asked) == {"survey"}
        assert asked["survey"] <= looks + 1, "the one that is under way"


def _counted(asked: Counter[str], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*words: Any, **more: Any) -> Any:
        asked[name] += 1
        return call(*words, **more)

    return counting


def test_incident_34_one_slow_answer_brings_the_news_of_all_fifty_and_keeps_nobody_waiting(
    play: Play,
) -> None:
    with play.opened() as stage:
        ids = _fifty_green(stage)
        answer, begun = Event(), [Event(), Event()]
        stage.forge.before["survey"] = lambda: _hold(begun, answer)
        assert begun[0].wait(30)
        for session_id in ids:
            stage.forge.checks(stage.session(session_id).pr_number or 0, CheckState.FAILING)
        # while the forge does not answer, an agent is told what a person says
        message = stage.orchestrator.sessions.send(ids[0], "Mind the spelling")
        eventually(
            lambda: (
                message.id
                in [
                    told.id
                    for told in stage.messages(ids[0])
                    if told.state is MessageState.DELIVERED
                ]
            )
        )
        assert {stage.session(session_id).status for session_id in ids} == {
            SessionStatus.CI_PASSING
        }
        answer.set()
        # the next survey never answers: what arrives came with the one before
        eventually(
            lambda: (
                begun[1].is_set()
                and {stage.session(one).status for one in ids} == {SessionStatus.CI_FAILED}
            )
        )
        stage.forge.before.clear()


def _hold(begun: list[Event], answer: Event) -> None:
    """The first survey waits for the answer, all others for ever."""
    first = not begun[0].is_set()
    begun[0 if first else 1].set()
    (answer if first else Event()).wait()
