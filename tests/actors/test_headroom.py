"""What the metering proxy is told of budgets: as the books have it, and at once when it moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ennio.actors.headroom import headroom
from ennio.actors.meter import MeterActor
from ennio.actors.orchestrator.budget_view import RaiseOrder
from ennio.actors.registry import METER
from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed, PriceOverride
from ennio.hosts.metering import KEY
from ennio.hosts.observation import MeterState
from ennio.hosts.tally import Tally
from ennio.model.errors import Unreachable
from ennio.model.session import Activity, SessionStatus, Usage
from ennio.model.usage import Billing
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

USED = Usage(1000, 100, Decimal(3), "m")
PROJECT = Budget(BudgetScope.PROJECT, Decimal(5), BudgetPeriod.MONTHLY)
WARNS = Budget(BudgetScope.GLOBAL, Decimal(1), on_exceed=OnExceed.WARN)
OWN = Budget(BudgetScope.SESSION, limit_tokens=1_000_000)


class Proxied:
    """A host whose proxy keeps what it is told; ``away`` is whether it cannot be."""

    name = ""

    def __init__(self) -> None:
        self.told: list[Headroom] = []
        self.away = False

    def held(self, session_id: str) -> bool:
        """Whether it was told last that budgets hold a session."""
        found = self.told[-1].sessions.get(session_id)
        return found is not None and found.held

    def keep_meter(self) -> MeterState:
        return MeterState("http://127.0.0.1:1")

    leave_meter = keep_meter

    def limit_metered(self, headroom: Headroom) -> None:
        if self.away:
            raise Unreachable("the disk is full")
        self.told.append(headroom)


@contextmanager
def proxied(stage: Stage) -> Iterator[Proxied]:
    """A proxy is kept, and looked at by hand."""
    host: Any = Proxied()
    keeper = MeterActor.start(stage.deps, METER, None, host)
    stage.deps.actors.enter(METER, keeper)
    try:
        yield host
    finally:
        keeper.stop(timeout=30)


def test_it_is_what_the_books_say_with_how_far_they_know_what_passed(play: Play) -> None:
    price = PriceOverride("m", Decimal(1), Decimal(2))
    play.settings |= {"budgets": (PROJECT, WARNS, OWN), "prices": (price,)}
    with play.opened() as stage:
        one, other = stage.working(), stage.working()
        stage.says(one, Activity.ACTIVE, ready=True, usage=USED)
        eventually(lambda: stage.deps.store.metrics.get(one).total_tokens_in == 1000)
        read = {KEY: Tally(at=77, billing="plan").as_text()}
        stage.deps.store.agents.save_read_to(one, read)
        found = headroom(stage.deps, "")
        assert found.prices == (price,)
        names = {each: f"session:{each}:total" for each in (one, other)}
        assert found.sessions == {
            one: SessionHeadroom(77, Billing.PLAN, (names[one], "project:play:monthly")),
            other: SessionHeadroom(0, None, (names[other], "project:play:monthly")),
        }
        left = {at.applied.name: (at.remaining_usd, at.remaining_tokens) for at in found.budgets}
        assert left == {
            names[one]: (None, 998_900),
            names[other]: (None, 1_000_000),
            "project:play:monthly": (Decimal(2), None),
        }
        assert headroom(stage.deps, "elsewhere").sessions == {}
        stage.orchestrator.sessions.kill(other)
        stage.until(other, SessionStatus.KILLED)
        assert set(headroom(stage.deps, "").sessions) == {one}


def test_where_no_budget_holds_anybody_nothing_is_told(play: Play) -> None:
    play.settings["budgets"] = (WARNS,)
    with play.opened() as stage:
        stage.working()
        assert headroom(stage.deps, "") == Headroom()


def test_one_that_a_person_lets_end_its_turn_is_held_by_none_until_it_goes_on(
    play: Play,
) -> None:
    play.settings["budgets"] = (replace(PROJECT, limit_usd=Decimal(2)),)
    with play.opened() as stage, proxied(stage) as proxy:
        session_id = stage.working()
        eventually(lambda: proxy.held(session_id), why="told when it begins")
        stage.says(session_id, Activity.ACTIVE, ready=True, usage=USED)
        eventually(lambda: stage.session(session_id).paused)
        assert headroom(stage.deps, "").budgets[0].remaining_usd == 0
        stage.orchestrator.budgets.go_on(session_id)
        eventually(lambda: not proxy.held(session_id), why="it is let go on")
        stage.orchestrator.budgets.increase("project:play:monthly", RaiseOrder(usd=Decimal(9)))
        eventually(lambda: proxy.held(session_id), why="it goes on")
        assert proxy.told[-1].budgets[0].remaining_usd == Decimal(8)


def test_a_raise_is_told_at_once_and_a_proxy_that_cannot_be_told_is_told_later(
    play: Play,
) -> None:
    play.settings["budgets"] = (PROJECT,)
    with play.opened() as stage, proxied(stage) as proxy:
        stage.working()
        name = "project:play:monthly"
        before = len(proxy.told)
        stage.orchestrator.budgets.increase(name, RaiseOrder(usd=Decimal(1)))
        eventually(lambda: proxy.told[-1].budgets[0].limit_usd == Decimal(6))
        assert len(proxy.told) > before
        proxy.away = True
        stage.orchestrator.budgets.increase(name, RaiseOrder(usd=Decimal(1)))
        stage.quiet()
        proxy.away = False
        eventually(lambda: proxy.told[-1].budgets[0].limit_usd == Decimal(7), why="the next look")
