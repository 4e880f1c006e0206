"""What entries come to: added up, as people and budgets look at it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ennio.model.money import NOTHING
from ennio.model.session import Usage
from ennio.model.usage import Billing, Tokens, UsageSource
from ennio.policy.ledger.entry import LedgerEntry


@dataclass(frozen=True, slots=True)
class Spending:
    """A sum of entries.

    ``billed`` is what is known of the money that was metered, ``listed`` what a plan gave at list
    price. Of ``unpriced`` requests the money is not known; ``unlisted`` of them are on a plan.
    """

    requests: int = 0
    unpriced: int = 0
    tokens: Tokens = Tokens()
    billed: Decimal = NOTHING
    listed: Decimal = NOTHING
    unlisted: int = 0

    def plus(self, entries: Iterable[LedgerEntry]) -> Spending:
        """With these entries as well."""
        return sum(map(_of_entry, entries), self)

    def __add__(self, other: Spending) -> Spending:
        """Both together."""
        return Spending(
            self.requests + other.requests,
            self.unpriced + other.unpriced,
            self.tokens + other.tokens,
            self.billed + other.billed,
            self.listed + other.listed,
            self.unlisted + other.unlisted,
        )

    @property
    def known_cost(self) -> Decimal | None:
        """The known part of the money, metered and of plans; None where that is nothing, and
        before the first request.
        """
        return _known(self.billed + self.listed, self.unpriced) if self.requests else None

    @property
    def known_billed(self) -> Decimal | None:
        """The known part of what was metered; None where that is nothing."""
        return _known(self.billed, self.unpriced - self.unlisted)

    @property
    def known_listed(self) -> Decimal | None:
        """The known part of what plans gave; None where that is nothing."""
        return _known(self.listed, self.unlisted)

    def usage(self, model: str | None, source: UsageSource = UsageSource.LOCAL) -> Usage | None:
        """The same as it is shown of a session; None before the first request."""
        if not self.requests:
            return None
        return Usage(
            input_tokens=self.tokens.given,
            output_tokens=self.tokens.output,
            cost_usd=self.known_cost,
            model=model,
            unpriced=self.unpriced,
            listed_usd=self.listed or None,
            source=source,
        )


def _known(money: Decimal, unpriced: int) -> Decimal | None:
    """No zero stands for what is not known, also where something else was free."""
    return money if money or not unpriced else None


def _of_entry(entry: LedgerEntry) -> Spending:
    cost = entry.cost_usd or NOTHING
    metered = entry.billing is Billing.METERED
    return Spending(
        entry.requests,
        entry.unpriced,
        entry.tokens,
        cost if metered else NOTHING,
        NOTHING if metered else cost,
        0 if metered else entry.unpriced,
    )
