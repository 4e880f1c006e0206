"""One line of the books: what a request used, or what became known of it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ennio.model.usage import Billing, Tokens, UsageSource


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry. Everything that is counted in it adds up over entries; a
    correction may be negative.

    ``requests`` is 1 for the first entry of a request. ``unpriced`` is 1 where it makes a request
    one whose money is unknown (``cost_usd`` is None then), -1 where it ends that. ``at`` is when
    the request was made, ``posted_at`` when we learnt of it.
    """

    session_id: str
    usage_id: str
    revision: int
    project_id: str
    agent: str
    at: datetime
    posted_at: datetime
    source: UsageSource
    billing: Billing
    requests: int
    unpriced: int
    tokens: Tokens
    cost_usd: Decimal | None = None
    launch: int | None = None
    model: str | None = None
    tier: str | None = None

    @property
    def name(self) -> str:
        """Unique among all entries, and made of nothing but what it is of."""
        return f"{self.session_id}/{self.revision}/{self.usage_id}"
