"""What people are told of budgets is taken back once it holds no more, and not before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ennio.actors.orchestrator.budget_view import BudgetOrder, RaiseOrder
from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed
from ennio.model.session import Activity, SessionStatus, Usage
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

USED = Usage(1000, 100, Decimal(3), "m")


def _limited(play: Play, **more: object) -> None:
    limit = {"scope": BudgetScope.PROJECT, "limit_usd": Decimal(1), "id": "play"} | more
    play.settings["budgets"] = (Budget(**limit),)  # type: ignore[arg-type] # as they are given


def _exceeds(stage: Stage) -> str:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=USED)
    eventually(lambda: _told(stage) == {"budget-exceeded": False})
    return session_id


def _told(stage: Stage) -> dict[str | None, bool]:
    """What was told of budgets, and whether it is taken back."""
    return {
        one.reaction: one.resolved_at is not None
        for one in stage.deps.store.notifications.list()
        if (one.reaction or "").startswith("budget-")
    }


def _raise(stage: Stage, by: int, name: str = "project:play:total") -> None:
    stage.orchestrator.budgets.increase(name, RaiseOrder(usd=Decimal(by), by="me"))


def test_a_raise_that_is_too_small_leaves_the_question_with_the_person(play: Play) -> None:
    _limited(play)
    with play.opened() as stage:
        session_id = _exceeds(stage)
        eventually(lambda: stage.session(session_id).paused)
        _raise(stage, 1)
        stage.quiet()
        assert stage.session(session_id).paused
        assert _told(stage) == {"budget-exceeded": False}
        _raise(stage, 10)
        eventually(lambda: stage.session(session_id).paused is None)
        eventually(lambda: _told(stage) == {"budget-exceeded": True})


@pytest.mark.parametrize("on_exceed", list(OnExceed))
@pytest.mark.parametrize("period", [BudgetPeriod.DAILY, BudgetPeriod.MONTHLY])
def test_what_was_used_up_is_no_question_any_more_once_its_window_is_over(
    play: Play, period: BudgetPeriod, on_exceed: OnExceed
) -> None:
    _limited(play, period=period, on_exceed=on_exceed)
    with play.opened() as stage:
        _exceeds(stage)
        now = stage.clock.now()
        anew = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if period is BudgetPeriod.MONTHLY:
            anew = (now.replace(day=1) + timedelta(days=31)).replace(
                day=1, hour=0, minute=0, second=0, microsecond=0
            )
        stage.pass_time((anew - now).total_seconds() - 1)
        stage.quiet()
        assert _told(stage) == {"budget-exceeded": False}
        stage.pass_time(1)
        eventually(lambda: _told(stage) == {"budget-exceeded": True})


def test_a_window_that_ended_while_nobody_was_there_is_over_at_the_start(play: Play) -> None:
    _limited(play, period=BudgetPeriod.DAILY, on_exceed=OnExceed.WARN)
    with play.opened() as stage:
        _exceeds(stage)
    play.clock.advance(24 * 3600)
    with play.opened() as stage:
        eventually(lambda: _told(stage) == {"budget-exceeded": True})


def test_a_budget_that_was_taken_away_asks_nobody(stage: Stage) -> None:
    order = BudgetOrder(scope=BudgetScope.PROJECT, id="play", limit_usd=Decimal(1), by="me")
    name = stage.orchestrator.budgets.set(order).name
    session_id = _exceeds(stage)
    stage.orchestrator.budgets.remove(name)
    eventually(lambda: stage.session(session_id).paused is None)
    eventually(lambda: _told(stage) == {"budget-exceeded": True})


def test_of_a_session_that_has_ended_its_own_budget_asks_nobody(play: Play) -> None:
    _limited(play, scope=BudgetScope.SESSION, id=None)
    with play.opened() as stage:
        session_id = _exceeds(stage)
        stage.orchestrator.sessions.kill(session_id)
        stage.until(session_id, SessionStatus.KILLED)
        eventually(lambda: _told(stage) == {"budget-exceeded": True})


def test_a_level_is_told_once_however_many_requests_follow(play: Play) -> None:
    _limited(play, limit_usd=Decimal(5), on_exceed=OnExceed.WARN)
    with play.opened() as stage:
        session_id = stage.working()
        for number, dollars in enumerate(("4", "4.5", "5", "6", "7"), start=1):
            used = Usage(1000 * number, 100, Decimal(dollars), "m")
            stage.says(session_id, Activity.ACTIVE, ready=True, usage=used)
            eventually(lambda number=number: stage.deps.store.ledger.count() == number)
        told = [one.event_type for one in stage.deps.store.events.after(0)]
        assert told.count("budget_warning") == told.count("budget_exceeded") == 1
