"""What sessions past the metering proxy may still use, and how that runs down. Pure.

It is what the books say at one moment, with how far they know what passed: all that passed behind
that counts against it, and is priced as the books will price it. A budget that several sessions
share is one, whoever of them uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ennio.config.money import PriceOverride
from ennio.model.usage import Billing, RequestUsage
from ennio.policy.budgets.standing import BudgetStanding, Spent, gravest, use_of
from ennio.policy.budgets.windows import BudgetWindow
from ennio.policy.ledger.posting import Occasion, Price, entries_of
from ennio.policy.ledger.prices import PriceBook
from ennio.policy.ledger.spending import Spending


@dataclass(frozen=True, slots=True)
class SessionHeadroom:
    """The names of the ``budgets`` of a session. What passed of it is in the books up to
    ``read_to``. ``billing`` is who pays; None where that is not known yet: then its money counts
    when it is in the books. What one uses that is not ``held`` counts, and no budget stops it.
    """

    read_to: int
    billing: Billing | None
    budgets: tuple[str, ...]
    held: bool = True


@dataclass(frozen=True, slots=True)
class Headroom:
    """Where budgets stood, and whom they hold, by session. Whoever is not among them is held by
    none; ``prices`` are those of the configuration.
    """

    budgets: tuple[BudgetStanding, ...] = ()
    sessions: Mapping[str, SessionHeadroom] = field(default_factory=dict)
    prices: tuple[PriceOverride, ...] = ()


class Countdown:
    """A headroom that runs down by what passes."""

    def __init__(self, headroom: Headroom) -> None:
        self._sessions = headroom.sessions
        self._budgets = {at.applied.name: at for at in headroom.budgets}
        self._prices = PriceBook(headroom.prices)

    def take(self, session_id: str, request: RequestUsage) -> None:
        """A request has ended that was not in the books; each is to be told once."""
        session = self._sessions.get(session_id)
        found = self._of(session_id, request.at)
        if session is None or not found:
            return
        counts = session.billing is not None and any(at.limit_usd is not None for at in found)
        # what nobody asks for is not looked up: the prices take a while to load
        spent = _spent(request, session.billing, self._prices.cost if counts else _nobody)
        for at in found:
            more = use_of(spent, count_plan=at.applied.budget.count_plan)
            self._budgets[at.applied.name] = replace(at, used=at.used + more)

    def reached(self, session_id: str, now: datetime) -> BudgetStanding | None:
        """The budget that lets no further request of a session pass; None where all have room."""
        session = self._sessions.get(session_id)
        return gravest(self._of(session_id, now)) if session and session.held else None

    def _of(self, session_id: str, moment: datetime) -> list[BudgetStanding]:
        """The budgets of a session that count what is used at that moment: once its window is over
        one says nothing any more.
        """
        session = self._sessions.get(session_id)
        found = (self._budgets.get(name) for name in session.budgets) if session else ()
        return [at for at in found if at is not None and _lies_in(moment, at.window)]


def _spent(request: RequestUsage, billing: Billing | None, price: Price) -> Spent:
    """What the books will say of it."""
    known = replace(request, billing=billing or Billing.METERED)
    of = Occasion("", "", "", request.launch, request.at)
    entries = entries_of(known, (), price, of)
    return {entry.billing: Spending().plus((entry,)) for entry in entries}


def _nobody(_: RequestUsage) -> None:
    """The price that nobody knows."""


def _lies_in(moment: datetime, window: BudgetWindow) -> bool:
    return (window.since is None or moment >= window.since) and (
        window.until is None or moment < window.until
    )
