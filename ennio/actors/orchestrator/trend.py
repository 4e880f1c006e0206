"""What sessions have cost step by step, for a line of bars beside each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ennio.actors.dependencies import Dependencies
from ennio.model.money import NOTHING
from ennio.store.ledger import Selection

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionTrend:
    """What one session has cost in each step, as far as prices are known; a plan counts at list
    price.
    """

    session_id: str
    usd: Sequence[Decimal]


@dataclass(frozen=True, slots=True)
class CostTrend:
    """Steps of equal length from a moment to now; sessions that used nothing are left out."""

    since: datetime
    until: datetime
    rows: Sequence[SessionTrend]


def trend(
    deps: Dependencies, session_id: str | None, since: datetime | None, steps: int
) -> CostTrend:
    """The steps of all sessions since a moment, an hour ago by default; of one, where it is named:
    by default since it was made. Raises NotFound for one that nobody knows.
    """
    now = deps.clock.now()
    if since is None:
        known = None if session_id is None else deps.store.sessions.need(session_id)
        since = now - timedelta(hours=1) if known is None else known.created_at
    since = min(since, now - _MINUTE)
    found = deps.store.ledger.by_minute(Selection(session_id, since=since))
    each = (now - since) / steps
    rows = [SessionTrend(one, _stepped(spent, since, each, steps)) for one, spent in found.items()]
    return CostTrend(since, now, rows)


def _stepped(
    spent: Mapping[datetime, Decimal], since: datetime, each: timedelta, steps: int
) -> list[Decimal]:
    sums = [NOTHING] * steps
    for minute, amount in spent.items():
        # entries are known by the minute: one that began before the first step belongs to it
        sums[max(0, min(steps - 1, (minute - since) // each))] += amount
    return sums
