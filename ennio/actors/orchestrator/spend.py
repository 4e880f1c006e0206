"""Spending as a series for a plot, what merged pull requests cost, the budgets with when each runs
dry, the windows of plans, and the models whose price nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.dryness import BudgetDryness, dryness
from ennio.actors.orchestrator.plans import PlanWindowView, plans
from ennio.config.model import Config
from ennio.model.money import whole
from ennio.model.usage import UsageSource
from ennio.policy.ledger.spending import Spending
from ennio.store.ledger import Selection

_SERIES = ("day", "project_id", "model", "source")


@dataclass(frozen=True, slots=True)
class SpendPoint:
    """What one project used of one model on one day; money is None where none is known.

    ``source`` is who computed the money: ``provider`` is whoever told the usage, ``local`` we from
    a list of prices. ``session_id`` is null unless each session is asked for.
    """

    day: str
    project_id: str
    model: str | None
    source: UsageSource
    session_id: str | None
    requests: int
    unpriced_requests: int
    unlisted_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    tokens: int
    billed_usd: Decimal | None
    listed_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class MergedCost:
    """What pull requests that were merged have cost; ``each_usd`` is None before the first,
    or while nothing is known.

    Where ``unpriced_requests`` were made for them it is the known part.
    """

    pulls: int
    cost_usd: Decimal | None
    each_usd: Decimal | None
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """A model whose price nobody knows: what was used of it, from the first day to the last.

    A price stands in the configuration alone, under ``prices``: ``write_in`` is the file, with the
    line of that key where it has one.
    """

    model: str | None
    requests: int
    input_tokens: int
    output_tokens: int
    first_day: str
    last_day: str
    write_in: str


@dataclass(frozen=True, slots=True)
class Spend:
    """Spending by day, project, model and source; what a merged pull request costs, in all and by
    project; the budgets, with when each runs dry; plans; and models without a price.
    """

    points: Sequence[SpendPoint]
    merged: MergedCost
    merged_by_project: Mapping[str, MergedCost]
    budgets: Sequence[BudgetDryness]
    plans: Sequence[PlanWindowView]
    unpriced: Sequence[UnpricedModel]


def spend(
    deps: Dependencies, since: datetime | None, until: datetime | None, *, sessions: bool
) -> Spend:
    """The series between two moments, and what holds whenever it is asked; ``sessions``: with a
    point for each session.
    """
    which = Selection(since=since, until=until)
    found = deps.store.ledger.spent_by((*_SERIES, *(("session_id",) if sessions else ())), which)
    points = [_point(key, spending) for key, spending in found.items()]
    points.sort(key=_order)
    merged = _merged_sessions(deps)
    return Spend(
        points,
        _merged(one for each in merged.values() for one in each),
        {project: _merged(each) for project, each in sorted(merged.items())},
        dryness(deps),
        plans(deps),
        unpriced(points, _place(deps.config)),
    )


def unpriced(points: Iterable[SpendPoint], place: str) -> Sequence[UnpricedModel]:
    """The models of a series whose price nobody knows, the most used first."""
    of: dict[str | None, list[SpendPoint]] = {}
    for point in points:
        if point.unpriced_requests > 0:
            of.setdefault(point.model, []).append(point)
    found = [
        UnpricedModel(
            model,
            sum(one.unpriced_requests for one in mine),
            sum(one.input_tokens for one in mine),
            sum(one.output_tokens for one in mine),
            min(one.day for one in mine),
            max(one.day for one in mine),
            place,
        )
        for model, mine in of.items()
    ]
    return sorted(found, key=lambda one: (-one.requests, one.model or ""))


def _place(config: Config) -> str:
    """Where a price is written."""
    origin = config.origins.get(("prices",))
    return f"{config.source}:{origin.line}" if origin else str(config.source)


def _order(point: SpendPoint) -> tuple[str, ...]:
    return point.day, point.project_id, point.model or "", point.source, point.session_id or ""


def _point(key: Sequence[str], spending: Spending) -> SpendPoint:
    day, project, model, source, *session = key
    tokens = spending.tokens
    return SpendPoint(
        day,
        project,
        model,
        UsageSource(source),
        session[0] if session else None,
        spending.requests,
        spending.unpriced,
        spending.unlisted,
        tokens.given,
        tokens.output,
        tokens.cache_read,
        tokens.given + tokens.output,
        spending.known_billed,
        spending.known_listed,
    )


def _merged_sessions(deps: Dependencies) -> Mapping[str, Sequence[Spending]]:
    """What each session used whose pull request was merged, by project; one that used nothing
    counts too.
    """
    spent = deps.store.ledger.spent_by(("session_id",), Selection())
    found: dict[str, list[Spending]] = {}
    for session_id, project_id in sorted(deps.store.sessions.merged().items()):
        found.setdefault(project_id, []).append(spent.get((session_id,), Spending()))
    return found


def _merged(spent: Iterable[Spending]) -> MergedCost:
    each = tuple(spent)
    total = sum(each, Spending())
    cost = total.known_cost
    of_one = None if cost is None or not each else whole(cost / len(each))
    return MergedCost(len(each), cost, of_one, total.unpriced)
