"""The accounts of the books, and which two of them an entry moves money between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ennio.model.money import NOTHING
from ennio.model.usage import Billing
from ennio.policy.ledger.entry import LedgerEntry


class AccountType(StrEnum):
    """What an account tracks: what is owned, owed, earned or spent."""

    ASSET = "asset"
    LIABILITY = "liability"
    REVENUE = "revenue"
    EXPENSE = "expense"

    @property
    def grows_by_debit(self) -> bool:
        """Whether a debit makes its balance greater."""
        return self in (AccountType.ASSET, AccountType.EXPENSE)


PREPAID = "asset:prepaid"
"""Out of which every metered request is paid."""
PLAN = "revenue:plan"
"""What plans gave at list price without a bill."""
RESERVED = "liability:reserved"
"""What is kept back for sessions that are about to begin."""


def expense(project_id: str, billing: Billing) -> str:
    """The account a project's usage is charged to."""
    return f"expense:{'llm' if billing is Billing.METERED else 'plan'}:{project_id}"


def source_of(billing: Billing) -> str:
    """The account that usage is paid out of."""
    return PREPAID if billing is Billing.METERED else PLAN


def type_of(account: str) -> AccountType:
    """The type of an account, which its name begins with. Raises ValueError for a name of none."""
    return AccountType(account.partition(":")[0])


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money from one account to another; ``amount`` is above zero."""

    id: str
    debit: str
    credit: str
    amount: Decimal
    at: datetime
    posted_at: datetime


def transfer_of(entry: LedgerEntry) -> Transfer | None:
    """What pays for an entry; None where its money is not known, or is none.

    What a correction takes back goes the other way.
    """
    if not entry.cost_usd:
        return None
    debit = expense(entry.project_id, entry.billing)
    credit = source_of(entry.billing)
    if entry.cost_usd < NOTHING:
        debit, credit = credit, debit
    return Transfer(entry.name, debit, credit, abs(entry.cost_usd), entry.at, entry.posted_at)
