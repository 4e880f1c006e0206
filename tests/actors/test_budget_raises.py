"""A limit that is set is the limit from then on, whatever the one before was raised by."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ennio.actors import budget_raises
from ennio.actors.headroom import headroom
from ennio.actors.orchestrator.budget_view import BudgetOrder, BudgetView, RaiseOrder
from ennio.config.money import Budget, BudgetPeriod, BudgetScope
from ennio.model.errors import Invalid
from ennio.model.session import Activity, Usage
from ennio.policy.budgets.ending import EndedRaise
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

USED = Usage(1000, 100, Decimal(3), "m")
SCOPES = [
    (BudgetScope.GLOBAL, None, "global:{}"),
    (BudgetScope.PROJECT, "play", "project:play:{}"),
    (BudgetScope.PROJECT, None, "project:play:{}"),
    (BudgetScope.SESSION, None, "session:{session}:{}"),
]


def _set(
    stage: Stage, usd: int, scope: BudgetScope, of: str | None = None, **more: object
) -> BudgetView:
    order = BudgetOrder(scope=scope, id=of, limit_usd=Decimal(usd), by="me", **more)  # type: ignore[arg-type] # as they are given
    return stage.orchestrator.budgets.set(order)


def _raise(stage: Stage, name: str, by: int) -> None:
    stage.orchestrator.budgets.increase(name, RaiseOrder(usd=Decimal(by), by="me"))


def _limit(stage: Stage, name: str) -> tuple[Decimal | None, Decimal | None]:
    """The limit that holds, and by how much of it it was raised."""
    (view,) = [one for one in stage.orchestrator.budgets.list() if one.name == name]
    return view.limit, view.raised_usd


def _said(stage: Stage) -> list[str]:
    return [
        one.message for one in stage.deps.store.events.after(0) if one.event_type == "budget_set"
    ]


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("period", list(BudgetPeriod))
@pytest.mark.parametrize(("scope", "of", "called"), SCOPES)
def test_a_limit_that_is_set_anew_is_no_larger_than_was_said(
    stage: Stage,
    scope: BudgetScope,
    of: str | None,
    called: str,
    period: BudgetPeriod,
    removed: bool,
) -> None:
    session_id = stage.working()
    name = called.format(period, session=session_id)
    own = _set(stage, 5, scope, of, period=period).name
    _raise(stage, name, 50)
    assert _limit(stage, name) == (Decimal(55), Decimal(50))
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=USED)
    eventually(lambda: stage.deps.store.metrics.get(session_id).total_tokens_in == 1000)
    if removed:
        stage.orchestrator.budgets.remove(own)
    view = _set(stage, 1, scope, of, period=period)
    assert _limit(stage, name) == (Decimal(1), Decimal(0))
    over = EndedRaise(name, Decimal(50), None)
    assert list(view.ended_raises) == ([] if removed else [over])
    told = _said(stage)[1]
    assert told.endswith(f"; raises given before are over: {name} by $50.00")
    assert told.startswith(
        f"budget {own} was taken away" if removed else f"budget {own} was set to $1"
    )
    # whoever used more than that is held, here and by the metering proxy
    eventually(lambda: stage.session(session_id).paused)
    assert [at.limit_usd for at in headroom(stage.deps, "").budgets] == [Decimal(1)]
    assert _set(stage, 2, scope, of, period=period).ended_raises == ()
    _raise(stage, name, 4)
    assert _limit(stage, name) == (Decimal(6), Decimal(4)), "what is given to this one counts"


def test_what_a_budget_of_ones_own_was_raised_by_goes_with_it(stage: Stage) -> None:
    session_id = stage.working()
    name = f"session:{session_id}:total"
    _set(stage, 1, BudgetScope.SESSION)
    _set(stage, 2, BudgetScope.SESSION, session_id)
    _raise(stage, name, 50)
    assert _set(stage, 3, BudgetScope.SESSION).ended_raises == (), "that for each is not its own"
    assert _limit(stage, name) == (Decimal(52), Decimal(50))
    stage.orchestrator.budgets.remove(name)
    assert _limit(stage, name) == (Decimal(3), Decimal(0))


def _of_file(play: Play, *limits: int, **more: object) -> None:
    one = {"scope": BudgetScope.PROJECT, "id": "play"} | more
    play.settings["budgets"] = tuple(Budget(limit_usd=Decimal(usd), **one) for usd in limits)  # type: ignore[arg-type] # as they are given


def test_a_limit_that_the_file_says_anew_is_no_larger_than_it_says(play: Play) -> None:
    name = "project:play:total"
    _of_file(play, 5)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        _raise(stage, name, 50)
    _of_file(play, 5, warn_at=0.5)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, name) == (Decimal(55), Decimal(50)), "the limit is as it was"
        assert _said(stage) == []
    _of_file(play, 1)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, name) == (Decimal(1), Decimal(0))
        (said,) = _said(stage)
        assert said.endswith(
            "ennio.yaml; raises given before are over: project:play:total by $50.00"
        )
        _raise(stage, name, 7)
    _of_file(play)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _set(stage, 1, BudgetScope.PROJECT, "play").limit == Decimal(1)
    _of_file(play, 1)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, name) == (Decimal(1), Decimal(0)), (
            "what was taken away does not come back"
        )


def test_raises_of_before_the_file_was_kept_in_mind_hold_on(play: Play) -> None:
    _of_file(play, 5)
    with play.opened() as stage:
        _raise(stage, "project:play:total", 50)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, "project:play:total") == (Decimal(55), Decimal(50))


def test_what_another_version_kept_in_mind_keeps_nobody_from_starting(play: Play) -> None:
    _of_file(play, 5)
    with play.opened() as stage:
        stage.deps.store.meta.set("file_budgets", '[{"scope":"galaxy"}]')
        _raise(stage, "project:play:total", 50)
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, "project:play:total") == (Decimal(55), Decimal(50))
    _of_file(play, 1)
    with play.opened() as stage:
        budget_raises.follow_file(stage.deps)
        assert _limit(stage, "project:play:total") == (Decimal(1), Decimal(0)), "it is known now"


def test_a_budget_of_everybody_is_raised_by_whom_it_limits(stage: Stage) -> None:
    _set(stage, 5, BudgetScope.GLOBAL, period=BudgetPeriod.DAILY)
    _raise(stage, "global", 3)
    assert _limit(stage, "global:daily") == (Decimal(8), Decimal(3))
    _set(stage, 5, BudgetScope.GLOBAL)
    with pytest.raises(Invalid, match="several budgets hold global: global:daily, global:total"):
        _raise(stage, "global", 3)
