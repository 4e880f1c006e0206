"""What was used and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from ennio.actors.orchestrator import (
    AccountView,
    CalibrationReport,
    CostKey,
    CostReport,
    CostTrend,
    Selection,
    SessionMetrics,
    Spend,
)
from ennio.http.operation import Resource, operation
from ennio.model.errors import Invalid
from ennio.model.request_fields import (
    ChoiceField,
    FlagField,
    IdField,
    NumberField,
    TimeField,
    identifier,
)


@dataclass(frozen=True, slots=True)
class SpanQuery:
    """From a moment on, up to another; a day of UTC counts from where it begins, and through."""

    since: Annotated[datetime | None, TimeField()] = None
    until: Annotated[datetime | None, TimeField(through=True)] = None

    def __post_init__(self) -> None:
        """Raises Invalid for a span that ends before it begins."""
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise Invalid("until: that is before since; the other way round?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuery(SpanQuery):
    """What costs are added up by, and whose."""

    by: Annotated[CostKey, ChoiceField(CostKey)] = CostKey.PROJECT
    session_id: Annotated[str | None, IdField()] = None
    project_id: Annotated[str | None, IdField()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery(SpanQuery):
    """Which days, and whether each session has points of its own."""

    sessions: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Whose steps, since when, and how many."""

    session_id: Annotated[str | None, IdField()] = None
    since: Annotated[datetime | None, TimeField()] = None
    steps: Annotated[int, NumberField(1, 100, default=12)] = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationQuery(SpanQuery):
    """Whose forecasts, and of which sessions by when they were spawned."""

    project_id: Annotated[str | None, IdField()] = None


class CostsResource(Resource):
    """The books."""

    @operation("What was used and what it cost, by one thing.", CostReport, query=CostQuery)
    def on_get(self, query: CostQuery) -> CostReport:
        """Costs by session, project, model, account or day."""
        session_id = query.session_id and self._known(query.session_id)
        project_id = query.project_id and self._orchestrator.projects.known(query.project_id)
        which = Selection(session_id, project_id, query.since, query.until)
        return self._orchestrator.costs.report(query.by, which)

    @operation("Every account of the books with its balance.", list[AccountView])
    def on_get_accounts(self) -> Sequence[AccountView]:
        """The accounts; all balances together are zero."""
        return self._orchestrator.costs.accounts()

    @operation(
        "Spending by day, the cost of merged pull requests, budgets, plans, unknown prices.",
        Spend,
        query=SpendQuery,
    )
    def on_get_spend(self, query: SpendQuery) -> Spend:
        """A series for a plot, and what stands beside it."""
        costs = self._orchestrator.costs
        return costs.spend(query.since, query.until, sessions=query.sessions)

    @operation(
        "How well sessions were forecast that have ended.",
        CalibrationReport,
        query=CalibrationQuery,
    )
    def on_get_calibration(self, query: CalibrationQuery) -> CalibrationReport:
        """What was forecast, held against what became of it."""
        project_id = query.project_id and self._orchestrator.projects.known(query.project_id)
        return self._orchestrator.costs.calibration(project_id, query.since, query.until)

    @operation("What sessions cost step by step, up to now.", CostTrend, query=TrendQuery)
    def on_get_trend(self, query: TrendQuery) -> CostTrend:
        """By default the last hour of all, in twelve steps; of one session its whole life."""
        return self._orchestrator.costs.trend(query.session_id, query.since, query.steps)

    @operation("The numbers of a session.", SessionMetrics)
    def on_get_metrics(self, session_id: str) -> SessionMetrics:
        """What a session has used and how it went."""
        return self._orchestrator.costs.metrics(identifier("session id", session_id))
