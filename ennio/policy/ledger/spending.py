"""What entries come to: added up, as people and budgets look at it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ennio.model.money import NOTHING
from ennio.model.session import Usage
from ennio.model.usage import Billing, Tokens
from ennio.policy.ledger.entry import LedgerEntry


@dataclass(frozen=True, slots=True)
class Spending:
    """A sum of entries.

    ``billed`` is what is known of the money that was metered, ``listed`` what a plan gave at list
    price. Of ``unpriced`` requests the money is not known.
    """

    requests: int = 0
    unpriced: int = 0
    tokens: Tokens = Tokens()
    billed: Decimal = NOTHING
    listed: Decimal = NOTHING

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
        )

    @property
    def known_cost(self) -> Decimal | None:
        """The known part of the money, metered and of plans; None where nothing of it is known."""
        known = self.billed + self.listed
        return known if self.requests > self.unpriced or known else None

    def usage(self, model: str | None) -> Usage | None:
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
        )


def _of_entry(entry: LedgerEntry) -> Spending:
    cost = entry.cost_usd or NOTHING
    metered = entry.billing is Billing.METERED
    return Spending(
        entry.requests,
        entry.unpriced,
        entry.tokens,
        cost if metered else NOTHING,
        NOTHING if metered else cost,
    )
