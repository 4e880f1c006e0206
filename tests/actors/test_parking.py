"""Parked for a plan, across crashes, clocks that jump, and hands of persons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ennio.model.message import Message, Origin
from ennio.model.plan_window import PlanWindow
from ennio.model.session import Activity
from ennio.policy.lifecycle.parked import ResumeWhen
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

HOUR = 3600.0


@pytest.fixture
def willing(tmp_path: Path) -> Play:
    return Play(tmp_path, {"project": {"resume_at_reset": True}})


@pytest.fixture
def goes_on(willing: Play) -> Iterator[Stage]:
    with willing.opened() as opened:
        yield opened


def _used_up(stage: Stage, hours: float = 1.0) -> PlanWindow:
    now = stage.clock.now()
    return PlanWindow("five_hour", "me", 100.0, now + timedelta(hours=hours), now)


def _parks(stage: Stage, session_id: str, window: PlanWindow | None = None) -> PlanWindow:
    used_up = window or _used_up(stage)
    stage.says(session_id, Activity.READY, ready=True, windows=(used_up,))
    eventually(lambda: stage.session(session_id).activity is Activity.BLOCKED)
    return used_up


def _said(stage: Stage, session_id: str) -> list[Message]:
    return [one for one in stage.messages(session_id) if one.origin is Origin.PLAN]


def test_it_is_told_once_though_its_actor_dies_again_and_again(goes_on: Stage) -> None:
    stage, session_id = goes_on, goes_on.working()
    _parks(stage, session_id)
    stage.crash_session(session_id)
    stage.look()
    assert _said(stage, session_id) == []
    stage.pass_time(HOUR)
    stage.crash_session(session_id)
    eventually(lambda: [one.state.value for one in _said(stage, session_id)] == ["delivered"])
    stage.crash_session(session_id)
    stage.look()
    stage.pass_time(HOUR)
    stage.look()
    assert len(_said(stage, session_id)) == 1


def test_it_is_told_after_a_restart_of_everything_where_the_reset_has_come_meanwhile(
    willing: Play,
) -> None:
    with willing.opened() as stage:
        session_id = stage.working()
        _parks(stage, session_id)
    willing.clock.advance(2 * HOUR)
    with willing.opened() as stage:
        eventually(lambda: [one.state.value for one in _said(stage, session_id)] == ["delivered"])
        stage.look()
        assert len(_said(stage, session_id)) == 1


@pytest.mark.parametrize("jump", [-2 * HOUR, HOUR / 2])
def test_a_clock_that_jumps_lets_nobody_go_on_before_the_hour(goes_on: Stage, jump: float) -> None:
    stage, session_id = goes_on, goes_on.working()
    window = _parks(stage, session_id)
    assert window.resets_at is not None
    stage.clock.put(jump)
    stage.pass_time(1)
    stage.look()
    assert _said(stage, session_id) == []
    stage.pass_time((window.resets_at - stage.clock.now()).total_seconds())
    eventually(lambda: [one.state.value for one in _said(stage, session_id)] == ["delivered"])


def test_who_is_let_go_on_by_hand_before_the_reset_is_told_nothing_after_it(
    goes_on: Stage,
) -> None:
    stage, session_id = goes_on, goes_on.working()
    window = _parks(stage, session_id)
    stage.says(session_id, Activity.ACTIVE, ready=True, windows=())
    eventually(lambda: stage.session(session_id).activity is Activity.ACTIVE)
    assert window.resets_at is not None
    stage.pass_time(HOUR + 1)
    stage.rests(session_id)
    stage.look()
    assert _said(stage, session_id) == []


def test_words_that_nobody_needs_any_more_are_dropped(goes_on: Stage) -> None:
    stage, session_id = goes_on, goes_on.working()
    _parks(stage, session_id)
    stage.agent.typable = False  # somebody looks at a list there
    stage.pass_time(HOUR)
    eventually(lambda: _said(stage, session_id))
    stage.says(session_id, Activity.ACTIVE, ready=True, windows=())
    eventually(lambda: [one.state.value for one in _said(stage, session_id)] == ["dropped"])


def test_with_the_switch_off_a_person_is_asked_when_it_is_used_up_and_when_it_has_reset(
    stage: Stage,
) -> None:
    session_id = stage.working()
    _parks(stage, session_id)

    def asked() -> list[str]:
        told = stage.deps.store.notifications.list(50)
        return [one.message for one in told if one.reaction == "plan-window"]

    eventually(lambda: len(asked()) == 1)
    assert "used up, resets 01:00 UTC" in asked()[0]
    stage.pass_time(HOUR)
    eventually(lambda: len(asked()) == 2)
    stage.pass_time(HOUR)
    stage.look()
    assert len(asked()) == 2
    assert _said(stage, session_id) == []
    stage.orchestrator.sessions.resume(session_id, ResumeWhen.AT_RESET)
    eventually(lambda: [one.state.value for one in _said(stage, session_id)] == ["delivered"])


def test_many_agents_of_its_own_and_a_minute_of_many_tokens_are_told_once_each_time(
    stage: Stage,
) -> None:
    session_id = stage.working()

    def told() -> list[str]:
        found = stage.deps.store.notifications.list(50)
        return [one.message for one in found if one.reaction == "fan-out"]

    stage.says(session_id, Activity.ACTIVE, ready=True, helpers=10)
    stage.look()
    assert told() == []
    for helpers in (11, 12, 14):
        stage.says(session_id, Activity.ACTIVE, ready=True, helpers=helpers)
        stage.look()
    assert len(told()) == 1
    assert "11 agents of its own are at work" in told()[0]
