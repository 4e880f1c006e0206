"""Which entries a usage becomes, given those that were posted of it before. Pure.

The same usage told again gives none, in whatever order and however often: a request only grows, so
the greater of what was told counts. Its time, its tier and who pays for it are those it was first
told with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ennio.model.money import MOST, NOTHING, whole
from ennio.model.usage import RequestUsage, Tokens, UsageSource
from ennio.policy.ledger.entry import LedgerEntry

Price = Callable[[RequestUsage], Decimal | None]
"""What a request costs in dollars; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Whose usage it is, of which launch, and when it is posted."""

    session_id: str
    project_id: str
    agent: str
    launch: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands after all of its entries."""

    tokens: Tokens
    cost: Decimal | None
    source: UsageSource
    model: str | None

    @classmethod
    def of(cls, posted: Sequence[LedgerEntry]) -> Standing:
        """The sum of some entries, one at least."""
        tokens = sum((entry.tokens for entry in posted), Tokens())
        known = sum((entry.cost_usd for entry in posted if entry.cost_usd is not None), NOTHING)
        unknown = sum(entry.unpriced for entry in posted) > 0
        return cls(tokens, None if unknown else known, posted[-1].source, posted[-1].model)


def last_of_each(requests: Iterable[RequestUsage]) -> Sequence[RequestUsage]:
    """Each request once, as it was told of last, in the order they were first told of."""
    found: dict[str, RequestUsage] = {}
    for request in requests:
        before = found.get(request.id)
        found[request.id] = request if before is None else _told_again(before, request)
    return tuple(found.values())


def _told_again(before: RequestUsage, request: RequestUsage) -> RequestUsage:
    told = (_sane(before.cost_usd), _sane(request.cost_usd))
    costs = [cost for cost in told if cost is not None]
    return replace(
        before,
        tokens=before.tokens.most(request.tokens),
        model=before.model or request.model,
        cost_usd=max(costs, default=None),
    )


def entries_of(
    told: RequestUsage, posted: Sequence[LedgerEntry], price: Price, of: Occasion
) -> tuple[LedgerEntry, ...]:
    """The entries that bring a request to where it stands now; none when
    it stands there already.
    """
    if not posted:
        if not (any(told.tokens.counts) or _sane(told.cost_usd) or told.unmeasured):
            return ()  # it has yet to be answered
        return (_first(told, _aim(told, None, price), of),)
    first, before = posted[0], Standing.of(posted)
    known = replace(told, at=first.at, tier=first.tier, billing=first.billing)
    after = _aim(replace(known, tokens=told.tokens.most(before.tokens)), before, price)
    if after == before:
        return ()
    revision = len(posted)
    if _alike(before, after):
        return (_grown(first, before, after, revision, of),)
    back = _taken_back(first, before, revision, of)
    again = _first(known, after, of)
    return (back, replace(again, revision=revision + 1, launch=first.launch))


def _aim(told: RequestUsage, before: Standing | None, price: Price) -> Standing:
    """Where a request is to stand after what was told of it."""
    model = (before.model if before is not None else None) or told.model
    given = _sane(told.cost_usd)
    if before is not None and before.source is UsageSource.PROVIDER and before.cost is not None:
        given = before.cost if given is None else max(given, before.cost)
    if given is not None:
        return Standing(told.tokens, given, UsageSource.PROVIDER, model)
    if before is not None and before.cost is not None and _same(told, before, model):
        return before  # a price that has changed since then is no news of it
    asked = told if told.model == model else replace(told, model=model)
    found = None if told.unmeasured else _sane(price(asked))
    return Standing(told.tokens, found, UsageSource.LOCAL, model)


def _same(told: RequestUsage, before: Standing, model: str | None) -> bool:
    return (told.tokens, model) == (before.tokens, before.model)


def _sane(cost: Decimal | None) -> Decimal | None:
    if cost is None or not cost.is_finite() or not NOTHING <= cost <= MOST:
        return None
    return whole(cost)


def _alike(before: Standing, after: Standing) -> bool:
    """Whether what is new can be put into one entry of its own."""
    known = (before.cost is None) == (after.cost is None)
    return known and (before.source, before.model) == (after.source, after.model)


def _first(told: RequestUsage, aim: Standing, of: Occasion) -> LedgerEntry:
    return LedgerEntry(
        session_id=of.session_id,
        usage_id=told.id,
        revision=0,
        project_id=of.project_id,
        agent=of.agent,
        at=told.at,
        posted_at=of.now,
        source=aim.source,
        billing=told.billing,
        requests=1,
        unpriced=int(aim.cost is None),
        tokens=aim.tokens,
        cost_usd=aim.cost,
        launch=of.launch if told.launch is None else told.launch,
        model=aim.model,
        tier=told.tier,
    )


def _grown(
    first: LedgerEntry, before: Standing, after: Standing, revision: int, of: Occasion
) -> LedgerEntry:
    more = None if before.cost is None or after.cost is None else after.cost - before.cost
    return replace(
        first,
        revision=revision,
        posted_at=of.now,
        source=after.source,
        model=after.model,
        requests=0,
        unpriced=0,
        tokens=after.tokens - before.tokens,
        cost_usd=more,
    )


def _taken_back(first: LedgerEntry, before: Standing, revision: int, of: Occasion) -> LedgerEntry:
    return replace(
        first,
        revision=revision,
        posted_at=of.now,
        source=before.source,
        model=before.model,
        requests=-1,
        unpriced=-int(before.cost is None),
        tokens=Tokens() - before.tokens,
        cost_usd=None if before.cost is None else -before.cost,
    )
