"""Several budgets that are used up by the same request: each of them holds until it lets go."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import gevent
import pytest
from gevent.event import Event as Flag

from ennio.actors import forecasting
from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.budget_view import RaiseOrder
from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed
from ennio.model.errors import OverBudget
from ennio.model.session import Activity, Session, SessionStatus, Usage
from ennio.store.forecasts import ForecastRecord
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

USED = Usage(1000, 100, Decimal(3), "m")
OWN = Budget(BudgetScope.SESSION, Decimal(1))
PROJECT = Budget(BudgetScope.PROJECT, Decimal(2), BudgetPeriod.MONTHLY)
EVERYBODY = Budget(BudgetScope.GLOBAL, Decimal(3), BudgetPeriod.DAILY)


def _begin(stage: Stage) -> str:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=USED)
    return session_id


def _said(stage: Stage, session_id: str) -> list[str]:
    """What its agent is told beside its prompt."""
    return [one.text for one in stage.deps.store.messages.list(session_id)][1:]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_goes_on_once_and_not_before_each_of_them_has_room_again(
    play: Play, order: tuple[int, ...]
) -> None:
    play.settings["budgets"] = (OWN, PROJECT, EVERYBODY)
    with play.opened() as stage:
        session_id = _begin(stage)
        names = (f"session:{session_id}:total", "project:play:monthly", "global:daily")
        eventually(lambda: stage.session(session_id).paused)
        for at in order:
            stage.quiet()
            assert stage.session(session_id).paused
            assert _said(stage, session_id) == []
            stage.orchestrator.budgets.increase(names[at], RaiseOrder(usd=Decimal(10)))
        eventually(lambda: stage.session(session_id).paused is None)
        stage.quiet()
        assert len(_said(stage, session_id)) <= 1
        told = [one.event_type for one in stage.deps.store.events.after(0, session_id=session_id)]
        assert told.count("session_paused") == told.count("session_resumed") == 1
        assert told.count("budget_exceeded") == 3


@pytest.mark.parametrize("turned", [False, True])
def test_one_that_ends_sessions_comes_before_those_that_hold_them(play: Play, turned: bool) -> None:
    ends = Budget(BudgetScope.GLOBAL, Decimal(3), BudgetPeriod.DAILY, on_exceed=OnExceed.KILL)
    play.settings["budgets"] = (ends, OWN) if turned else (OWN, ends)
    with play.opened() as stage:
        session_id = _begin(stage)
        stage.until(session_id, SessionStatus.KILLED)
        assert stage.session(session_id).paused is None


def test_of_twenty_that_were_found_to_fit_at_once_only_those_begin_that_there_is_room_for(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    all_judged, real = Flag(), forecasting.foretold

    def late(deps: Dependencies, session: Session) -> ForecastRecord:
        """Let none be written down before each of them was found to fit."""
        judged.append(session.id)
        if len(judged) == 20:
            all_judged.set()
        assert all_judged.wait(30)
        return real(deps, session)

    monkeypatch.setattr(forecasting, "foretold", late)
    play.settings["budgets"] = (Budget(BudgetScope.GLOBAL, Decimal(5), BudgetPeriod.DAILY),)
    with play.opened() as stage:

        def ask(number: int) -> str:
            try:
                return stage.spawn(f"Part {number}", held=True)
            except OverBudget as refused:
                return str(refused)

        asked = [gevent.spawn(ask, number) for number in range(20)]
        answers = [one.get(timeout=30) for one in asked]
        # of a session of which nothing is known a tenth of the limit is kept
        begun = {one.id for one in stage.deps.store.sessions.list()}
        assert sorted(begun) == sorted(one for one in answers if one in judged)
        refused = [one for one in answers if one not in judged]
        assert (len(begun), len(refused)) == (10, 10)
        assert all("global:daily has no room for another session" in one for one in refused)
        assert {one.session_id for one in stage.deps.store.budgets.reserved()} == begun
