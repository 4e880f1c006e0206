"""What was used and what it cost, by the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.spend import Spend, spend
from ennio.actors.orchestrator.trend import CostTrend, trend
from ennio.model.money import NOTHING
from ennio.model.usage import Billing
from ennio.policy.forecast import CalibrationReport, calibration
from ennio.policy.ledger.accounts import (
    PLAN,
    PREPAID,
    RESERVED,
    AccountType,
    expense,
    source_of,
    type_of,
)
from ennio.policy.ledger.spending import Spending
from ennio.policy.metering import SessionMetrics
from ennio.store.ledger import AccountBalance, Selection


class CostKey(StrEnum):
    """What costs are added up by."""

    SESSION = "session"
    PROJECT = "project"
    MODEL = "model"
    ACCOUNT = "account"
    DAY = "day"


_COLUMNS = {
    CostKey.SESSION: ("session_id",),
    CostKey.PROJECT: ("project_id",),
    CostKey.MODEL: ("model",),
    CostKey.ACCOUNT: ("project_id", "billing"),
    CostKey.DAY: ("day",),
}


@dataclass(frozen=True, slots=True)
class CostView:
    """A sum of costs; ``key`` is None where what it was added up by is not known.

    ``cost_usd`` is the known part of the money, None where nothing is known: ``billed_usd`` was
    metered, ``listed_usd`` is what a plan gave at list price, and each is None in the same way.
    ``unpriced_requests`` are in neither; ``unlisted_requests`` of them are on a plan.
    ``input_tokens`` are all that was sent, those of the cache among them.
    """

    key: str | None
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal | None
    billed_usd: Decimal | None
    listed_usd: Decimal | None
    unlisted_requests: int

    @classmethod
    def of(cls, key: str | None, spending: Spending) -> Self:
        """What some entries come to."""
        tokens = spending.tokens
        return cls(
            key,
            spending.requests,
            spending.unpriced,
            tokens.given,
            tokens.output,
            tokens.cache_read,
            tokens.cache_write + tokens.cache_write_1h,
            spending.known_cost,
            spending.known_billed,
            spending.known_listed,
            spending.unlisted,
        )


@dataclass(frozen=True, slots=True)
class CostReport:
    """Costs by one thing, the most expensive first (days in their order), and all of them
    together; ``entries`` is how many entries the books have in all.
    """

    by: CostKey
    rows: Sequence[CostView]
    total: CostView
    entries: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account and what went through it; ``balance_usd`` is above zero where there is more of
    what it is for.

    Of ``unpriced_requests`` nobody knows what they moved, and so nothing was: the balance is the
    known part, None where that is nothing.
    """

    id: str
    type: AccountType
    debits_usd: Decimal
    credits_usd: Decimal
    balance_usd: Decimal | None
    unpriced_requests: int

    @classmethod
    def of(cls, name: str, found: AccountBalance | None, unpriced: int) -> Self:
        """An account of the books, or one that nothing went through yet."""
        if found is None:
            found = AccountBalance(name, type_of(name), NOTHING, NOTHING, NOTHING)
        balance = found.balance_usd if found.balance_usd or not unpriced else None
        sides = found.debits_usd, found.credits_usd
        return cls(name, found.type, *sides, balance, unpriced)


@dataclass(frozen=True, slots=True)
class CostApi:
    """What can be asked of the books."""

    deps: Dependencies

    def report(self, by: CostKey, which: Selection) -> CostReport:
        """Costs added up by one thing."""
        found = self.deps.store.ledger.spent_by(_COLUMNS[by], which)
        rows = [CostView.of(_name(by, key), spending) for key, spending in found.items()]
        if by is CostKey.DAY:
            rows.sort(key=lambda row: row.key or "")
        else:
            rows.sort(
                key=lambda row: (-(row.cost_usd or NOTHING), -row.input_tokens, row.key or "")
            )
        total = CostView.of(None, sum(found.values(), Spending()))
        return CostReport(by, rows, total, self.deps.store.ledger.count())

    def accounts(self) -> Sequence[AccountView]:
        """Every account with what went through it, and those that the books always have."""
        balances = {each.id: each for each in self.deps.store.ledger.balances()}
        unpriced = self._unpriced()
        return [
            AccountView.of(name, balances.get(name), unpriced[name])
            for name in sorted({*balances, *unpriced, PREPAID, PLAN, RESERVED})
        ]

    def _unpriced(self) -> Counter[str]:
        """How many requests would have moved money through an account, if it were known."""
        found: Counter[str] = Counter()
        columns = _COLUMNS[CostKey.ACCOUNT]
        for (project, kind), spending in self.deps.store.ledger.spent_by(
            columns, Selection()
        ).items():
            billing = Billing(kind)
            if spending.unpriced:
                found[expense(project, billing)] += spending.unpriced
                found[source_of(billing)] += spending.unpriced
        return found

    def metrics(self, session_id: str) -> SessionMetrics:
        """The numbers of one session. Raises NotFound."""
        return self.deps.store.metrics.get(self.deps.store.sessions.need(session_id).id)

    def calibration(
        self, project_id: str | None, since: datetime | None, until: datetime | None
    ) -> CalibrationReport:
        """How well sessions were forecast that were spawned between two moments and have ended."""
        records = self.deps.store.forecasts.ended(project_id, since, until)
        told = [(one.forecast, one.finished) for one in records if one.forecast is not None]
        return calibration(told)

    def spend(
        self, since: datetime | None, until: datetime | None, *, sessions: bool = False
    ) -> Spend:
        """The series between two moments, and what holds whenever it is asked; ``sessions``: with
        a point for each session.
        """
        return spend(self.deps, since, until, sessions=sessions)

    def trend(self, session_id: str | None, since: datetime | None, steps: int) -> CostTrend:
        """What sessions have cost step by step. Raises NotFound."""
        return trend(self.deps, session_id, since, steps)


def _name(by: CostKey, key: Sequence[str]) -> str | None:
    return expense(key[0], Billing(key[1])) if by is CostKey.ACCOUNT else key[0]
