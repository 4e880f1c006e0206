"""A session's side of the books: what its agent told becomes entries, beside
the fact they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ennio.actors.dependencies import Dependencies
from ennio.model.clock import parse_time
from ennio.model.session import Session, Usage
from ennio.model.usage import RequestUsage, UsageSource
from ennio.policy import fan_out
from ennio.policy.fan_out import Burned, FullestMinute
from ennio.policy.ledger.entry import LedgerEntry
from ennio.policy.ledger.posting import Occasion, entries_of, last_of_each
from ennio.policy.ledger.prices import PriceBook
from ennio.policy.ledger.spending import Spending
from ennio.policy.ledger.totals import RunningTotal, grown
from ennio.store.ledger import Selection


@dataclass(frozen=True, slots=True)
class Posting:
    """Entries that are to be posted, and where a session stands after them."""

    entries: tuple[LedgerEntry, ...]
    spending: Spending
    model: str | None
    total: RunningTotal


class SessionBooks:
    """What one session has used, as the books have it. Held by its actor alone."""

    def __init__(self, deps: Dependencies, session: Session) -> None:
        self._deps = deps
        self._session = session
        self._prices = PriceBook(deps.config.prices)
        latest = deps.store.ledger.latest(session.id)
        self._model = latest.model if latest is not None else None
        self._source = latest.source if latest is not None else UsageSource.LOCAL
        self._spending, self._recent = self._found(latest)
        stored = deps.store.agents.get(session.id).running_total
        self._total = stored or _counted(session.usage)

    @property
    def usage(self) -> Usage | None:
        """What it has used so far."""
        return self._spending.usage(self._model, self._source)

    @property
    def burned(self) -> FullestMinute | None:
        """The most it has used within a minute of late."""
        return fan_out.fullest_minute(fan_out.recent(self._recent, self._deps.clock.now()))

    def _found(self, latest: LedgerEntry | None) -> tuple[Spending, tuple[Burned, ...]]:
        """What it has used, and that of late; most of those that are found again after a restart
        have used nothing of late.
        """
        if latest is None:
            return Spending(), ()
        spending = self._deps.store.ledger.spent(Selection(session_id=self._session.id))
        now = self._deps.clock.now()
        since = now - fan_out.LASTS - fan_out.MINUTE
        return spending, self._of_late(since, now) if latest.at >= since else ()

    def _of_late(self, since: datetime, now: datetime) -> tuple[Burned, ...]:
        which = Selection(session_id=self._session.id, since=since)
        found = self._deps.store.ledger.spent_by(("at",), which)
        told = (
            Burned(parse_time(str(at)), fan_out.burned(spent.tokens))
            for (at,), spent in found.items()
        )
        return fan_out.recent(told, now)

    def prepare(
        self,
        requests: Sequence[RequestUsage] | None,
        told: Usage | None,
        launch: int,
        *,
        metered: bool = False,
    ) -> Posting | None:
        """What these become; None where they are in the books already. Outside of any transaction:
        a price may be looked up.

        ``told`` is what the agent says it has used in all, which counts where
        it tells of no requests. ``metered``: that was counted by a proxy, and from where it stands
        now it would count on without one.
        """
        total = self._total
        if told is not None and (requests is None or metered):
            total, request = grown(total, told, launch, self._deps.clock.now())
            own = () if request is None or metered else (request,)
            requests = own if requests is None else requests
        entries = self._entries(last_of_each(requests or ()), launch)
        if not entries and total == self._total:
            return None
        model = next((each.model for each in reversed(entries) if each.model), self._model)
        return Posting(entries, self._spending.plus(entries), model, total)

    def post(self, posting: Posting) -> None:
        """Write it, inside of the transaction of the fact it comes from."""
        store, session_id = self._deps.store, self._session.id
        store.ledger.post(posting.entries)
        if posting.total != self._total:
            store.agents.save_running_total(session_id, posting.total)
        store.metrics.charge(session_id, posting.spending)

    def posted(self, posting: Posting) -> None:
        """It is written, and counts from now on."""
        self._spending, self._model = posting.spending, posting.model
        self._source = posting.entries[-1].source if posting.entries else self._source
        self._total = posting.total
        told = (Burned(one.at, fan_out.burned(one.tokens)) for one in posting.entries)
        self._recent = fan_out.recent((*self._recent, *told), self._deps.clock.now())

    def _entries(self, requests: Sequence[RequestUsage], launch: int) -> tuple[LedgerEntry, ...]:
        if not requests:
            return ()
        session, now = self._session, self._deps.clock.now()
        of = Occasion(session.id, session.project_id, session.agent_name or "", launch, now)
        known = self._deps.store.ledger.posted(session.id, [each.id for each in requests])
        price = self._prices.cost
        found = (entries_of(each, known.get(each.id, ()), price, of) for each in requests)
        return tuple(entry for entries in found for entry in entries)


def _counted(usage: Usage | None) -> RunningTotal:
    """How far its own count is in the books already, for one that began before there were any."""
    if usage is None:
        return RunningTotal()
    return RunningTotal(None, usage.input_tokens, usage.output_tokens, usage.cost_usd)
