"""When a used up plan, and an agent that begins or burns too much, is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ennio.config.fan_out import FanOut
from ennio.config.reactions import BUILT_IN
from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.session import Activity, Session, SessionStatus
from ennio.policy.fan_out import LASTS, FullestMinute
from ennio.policy.lifecycle.parked import Parked, ResumeWhen
from ennio.policy.reactions import Case, ReactionState, Situation, Verdict, case, decide

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RESET = NOON + timedelta(hours=3)
PARKED = Parked("five_hour", "me", RESET, NOON, NOON)
SESSION = Session(
    "p-1", "play", SessionStatus.WORKING, NOON, NOON, "beef", activity=Activity.BLOCKED
)
ALIVE = ProcessSeen(Presence.ALIVE, NOON, "survey")


def _situation(parked: Parked | None = PARKED, helpers: int = 0) -> Situation:
    agent = AgentSeen(NOON, "test", activity=Activity.READY, helpers=helpers)
    return Situation(SESSION, Facts(process=ALIVE, agent=agent), parked=parked, launched_at=NOON)


def _case(key: str, situation: Situation, now: datetime = NOON) -> Case:
    return case(key, BUILT_IN[key], situation, now)


def test_a_used_up_plan_is_told_with_its_hour_and_the_way_on() -> None:
    found = _case("plan-window", _situation())
    assert found.holds
    assert found.wake_at == RESET
    assert "used up, resets 15:00 UTC; `ennio session resume p-1` lets it go on then" in (
        found.headline
    )


def test_it_is_told_once_more_when_the_window_has_reset_and_nobody_has_said_anything() -> None:
    rule, situation = BUILT_IN["plan-window"], _situation()
    first = decide(rule, _case("plan-window", situation), ReactionState(), NOON)
    assert first.verdict is Verdict.ACT
    later = NOON + timedelta(hours=1)
    again = decide(rule, _case("plan-window", situation, later), first.state, later)
    assert again.verdict is Verdict.QUIET
    over = decide(rule, _case("plan-window", situation, RESET), again.state, RESET)
    assert over.verdict is Verdict.ACT
    assert decide(rule, _case("plan-window", situation, RESET), over.state, RESET).verdict is (
        Verdict.QUIET
    )


def test_who_goes_on_by_itself_is_told_of_once_and_not_at_the_reset() -> None:
    situation = replace(_situation(), goes_on=True)
    assert "it goes on then" in _case("plan-window", situation).headline
    assert _case("plan-window", situation, RESET).holds is None
    again = replace(situation, parked=replace(PARKED, again=True))
    assert _case("plan-window", again, RESET).holds is True


@pytest.mark.parametrize("parked", [None, replace(PARKED, told_at=RESET)])
def test_who_is_not_parked_or_was_told_to_go_on_is_no_case(parked: Parked | None) -> None:
    assert _case("plan-window", _situation(parked)).holds is False


def test_who_was_let_go_on_at_the_reset_says_so() -> None:
    said = replace(PARKED, said=ResumeWhen.AT_RESET)
    assert "it goes on then" in _case("plan-window", _situation(said)).headline


def test_who_is_parked_is_not_stuck() -> None:
    late = NOON + timedelta(hours=2)
    assert _case("agent-stuck", _situation(), late).holds is False
    assert _case("agent-stuck", _situation(None), late).holds is True


@pytest.mark.parametrize(("limit", "helpers"), [(10, 10), (None, 500), (0, 0)])
def test_as_many_agents_as_it_may_have_are_not_too_many(limit: int | None, helpers: int) -> None:
    situation = replace(_situation(None, helpers), limits=FanOut(agents=limit))
    assert _case("fan-out", situation).holds is False


def test_more_agents_or_tokens_than_it_may_have_are_told() -> None:
    many = _case("fan-out", replace(_situation(None, 11), limits=FanOut(agents=10)))
    assert many.holds
    assert "11 agents of its own" in many.headline
    minute = FullestMinute(2_000_001, NOON)
    burns = replace(_situation(None), burned=minute, limits=FanOut(tokens_per_minute=2_000_000))
    found = _case("fan-out", burns)
    assert found.holds
    assert "2,000,001 tokens within a minute" in found.headline
    assert found.wake_at == NOON + LASTS
    assert _case("fan-out", burns, NOON + LASTS).holds is False
    for limits in (FanOut(tokens_per_minute=2_000_001), FanOut(tokens_per_minute=None)):
        assert _case("fan-out", replace(burns, limits=limits)).holds is False
