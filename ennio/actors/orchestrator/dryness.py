"""When budgets run dry, by what was spent on the days before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.budget_view import BudgetView
from ennio.actors.orchestrator.budgets import BudgetApi
from ennio.config.money import BudgetScope
from ennio.model.money import NOTHING
from ennio.policy.forecast import LEAST
from ennio.policy.forecast.dry import LOOKED_AT, DryForecast, past_days, runs_dry, sooner
from ennio.policy.ledger.spending import Spending
from ennio.store.ledger import Selection

_Days = Mapping[tuple[str, str], Spending]


@dataclass(frozen=True, slots=True)
class BudgetDryness:
    """A budget for everybody or for a project, where it stands, and when it runs dry.

    ``likely_at`` is when it does if every day takes what half of them took, ``earliest_at`` and
    ``latest_at`` by the dearest and the cheapest tenth of them; null is not before ``resets_at``,
    or, with fewer than ``least`` ``days``, not known.
    """

    budget: str
    project_id: str | None
    limit_usd: Decimal | None
    limit_tokens: int | None
    remaining_usd: Decimal | None
    remaining_tokens: int | None
    resets_at: datetime | None
    days: int
    least: int
    earliest_at: datetime | None
    likely_at: datetime | None
    latest_at: datetime | None


def dryness(deps: Dependencies) -> Sequence[BudgetDryness]:
    """That of every budget but those of sessions, which have no days to go by."""
    views = [one for one in BudgetApi(deps).list() if one.used_tokens is not None]
    limited = [one for one in views if one.scope is not BudgetScope.SESSION]
    if not limited:
        return ()
    now = deps.clock.now()
    # a day more than is looked at: the first of them may have begun within
    which = Selection(since=now - timedelta(days=LOOKED_AT + 1))
    days = {
        (str(key[0]), str(key[1])): spending
        for key, spending in deps.store.ledger.spent_by(("day", "project_id"), which).items()
    }
    return [_of(one, days, now) for one in limited]


def _of(view: BudgetView, days: _Days, now: datetime) -> BudgetDryness:
    mine = {
        key: spending
        for key, spending in days.items()
        if view.scope is BudgetScope.GLOBAL or key[1] == view.id
    }
    found = _forecast(view, mine, now)
    return BudgetDryness(
        view.name,
        view.id,
        view.limit,
        view.limit_tokens,
        view.remaining,
        view.remaining_tokens,
        view.resets_at,
        found.days,
        LEAST,
        found.earliest,
        found.likely,
        found.latest,
    )


def _forecast(view: BudgetView, mine: _Days, now: datetime) -> DryForecast:
    def money(spending: Spending) -> Decimal:
        return spending.billed + (spending.listed if view.count_plan else NOTHING)

    def tokens(spending: Spending) -> Decimal:
        return Decimal(spending.tokens.given + spending.tokens.output)

    limits = ((view.remaining, money), (view.remaining_tokens, tokens))
    found = [
        runs_dry(Decimal(left), past_days(_by_day(mine.items(), read), now), now, view.resets_at)
        for left, read in limits
        if left is not None
    ]
    return found[0] if len(found) == 1 else sooner(*found)


def _by_day(
    spent: Iterable[tuple[tuple[str, str], Spending]], read: Callable[[Spending], Decimal]
) -> Mapping[str, Decimal]:
    found: dict[str, Decimal] = {}
    for (day, _), spending in spent:
        found[day] = found.get(day, NOTHING) + read(spending)
    return found
