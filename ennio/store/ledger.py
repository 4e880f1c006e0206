"""The books: entries and the transfers that pay for them are added, and
summed up; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.failpoints import failpoint
from ennio.model.money import NOTHING, from_units, to_units
from ennio.model.usage import Billing, Tokens
from ennio.policy.ledger.accounts import AccountType, Transfer, transfer_of, type_of
from ennio.policy.ledger.entry import LedgerEntry
from ennio.policy.ledger.spending import Spending
from ennio.store import tables
from ennio.store.columns import RowShape, Values, decode_fields, fields_of, shape_of
from ennio.store.connection import Connection
from ennio.store.dialect import Row
from ennio.store.row_table import RowTable
from ennio.store.running_sums import RunningSums, Selection
from ennio.store.statements import peewee

__all__ = ["AccountBalance", "LedgerAccount", "LedgerRepository", "Selection"]

_TOKENS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
_PLAIN = (
    *("session_id", "usage_id", "revision", "project_id", "agent", "at", "posted_at"),
    *("source", "billing", "requests", "unpriced", "launch", "model", "tier"),
)
_COUNTS = (*(f"{name}_tokens" for name in _TOKENS), "web_searches")
_encode_plain = fields_of(_PLAIN)
_PART = 1_000_000  # the two parts of an amount are summed apart: no sum is too large for 64 bits
_MANY = 500
_CUT = {"day": "10", "minute": "16"}
"""So many characters of a moment are its day, and its minute."""


def _encode(entry: LedgerEntry) -> Values:
    cost = entry.cost_usd
    return {
        "id": entry.name,
        **_encode_plain(entry),
        **dict(zip(_COUNTS, entry.tokens.counts, strict=True)),
        "amount": None if cost is None else to_units(cost),
    }


def _decode(values: Values) -> LedgerEntry:
    amount = values["amount"]
    return LedgerEntry(
        **decode_fields(LedgerEntry, {name: values[name] for name in _PLAIN}),
        tokens=Tokens(*(values[name] or 0 for name in _COUNTS)),
        cost_usd=None if amount is None else from_units(amount),
    )


def _encode_transfer(transfer: Transfer) -> Values:
    return _transfer_fields(transfer) | {"amount": to_units(transfer.amount)}


_transfer_fields = fields_of(("id", "debit", "credit", "at", "posted_at"))


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account, as it was opened."""

    id: str
    type: AccountType
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What went through an account; ``balance`` is above zero where there
    is more of what it is for.
    """

    id: str
    type: AccountType
    debits_usd: Decimal
    credits_usd: Decimal
    balance_usd: Decimal


class LedgerRepository:
    """Keeps the books."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        entry = RowShape(("id", *_PLAIN, *_COUNTS, "amount"), _encode, _decode)
        self._entries = RowTable(connection, tables.LedgerEntryTable, entry)
        transfer = RowShape(
            ("id", "debit", "credit", "amount", "at", "posted_at"),
            _encode_transfer,
            lambda values: Transfer(
                **decode_fields(Transfer, values | {"amount": str(from_units(values["amount"]))})
            ),
        )
        self._transfers = RowTable(connection, tables.LedgerTransferTable, transfer)
        self._known: set[str] = set()
        self._known_until = connection.rolled_back
        self._accounts = RowTable(connection, tables.LedgerAccountTable, shape_of(LedgerAccount))
        self._sums = RunningSums(connection, self._by_billing)

    def posted(self, session_id: str, usages: Collection[str]) -> dict[str, list[LedgerEntry]]:
        """The entries of some usages of a session, in their order, by usage; one of which
        there is none is left out.
        """
        found: dict[str, list[LedgerEntry]] = {}
        names = sorted(usages)
        for start in range(0, len(names), _MANY):
            some = tuple(names[start : start + _MANY])
            for entry in self._entries.find(
                session_id=session_id, usage_id=some, order=("usage_id", "revision")
            ):
                found.setdefault(entry.usage_id, []).append(entry)
        return found

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """Add entries, each with its transfer, in one transaction. Raises Conflict for
        one that is there already.
        """
        with self._connection.transaction():
            for entry in entries:
                self._enter(entry)
            self._sums.add(entries)

    def running(self, which: Selection) -> Mapping[Billing, Spending]:
        """What some entries come to by who pays, kept from one call to the next."""
        return self._sums.of(which)

    def _by_billing(self, which: Selection) -> Mapping[Billing, Spending]:
        found = self.spent_by(("billing",), which)
        return {Billing(str(key[0])): spending for key, spending in found.items()}

    @failpoint("ledger.enter")
    def _enter(self, entry: LedgerEntry) -> None:
        """Add one entry of a batch, after the transfer that pays for it."""
        transfer = transfer_of(entry)
        if transfer is not None:
            self._move(transfer)
        self._entries.insert(entry)

    @failpoint("ledger.move")
    def _move(self, transfer: Transfer) -> None:
        """Add a transfer, and the accounts that it is the first of."""
        if self._known_until != self._connection.rolled_back:  # an account may be gone with it
            self._known.clear()
            self._known_until = self._connection.rolled_back
        for account in (transfer.debit, transfer.credit):
            if account not in self._known:
                self._accounts.add(LedgerAccount(account, type_of(account), transfer.posted_at))
                self._known.add(account)
        self._transfers.insert(transfer)

    def latest(self, session_id: str) -> LedgerEntry | None:
        """The entry of the latest request of a session; None where it has used nothing."""
        found = self._entries.find(session_id=session_id, order=("-at", "-usage_id"), limit=1)
        return found[0] if found else None

    def total(self) -> Spending:
        """What all entries come to; read once, and then added up as they are posted."""
        return sum(self.running(Selection()).values(), Spending())

    def spent(self, which: Selection) -> Spending:
        """What some entries come to."""
        return self.spent_by((), which).get((), Spending())

    def spent_by(self, columns: Sequence[str], which: Selection) -> dict[Row, Spending]:
        """The same by what stands in some columns; ``day`` and ``minute`` are those of
        the request (UTC).
        """
        names = (*columns, "billing")
        keys = [self._key(name) for name in names]
        sums = [self._sum(name) for name in ("requests", "unpriced", *_COUNTS)]
        amount = self._entries.column("amount")
        large = amount / _PART
        sums += [peewee.fn.SUM(large), peewee.fn.SUM(amount - large * _PART)]
        query = self._entries.table.select(*keys, *sums).where(*self._where(which)).group_by(*keys)
        found: dict[Row, Spending] = {}
        width = len(columns)
        for row in self._connection.read(query):
            key, (billing, *sums_of_row) = tuple(row[:width]), row[width:]
            found[key] = found.get(key, Spending()) + _spending(Billing(billing), sums_of_row)
        return found

    def by_session(self, which: Selection) -> Mapping[str, Mapping[Billing, Spending]]:
        """What each session used, by who pays."""
        found: dict[str, dict[Billing, Spending]] = {}
        for (session, billing), spending in self.spent_by(("session_id", "billing"), which).items():
            found.setdefault(str(session), {})[Billing(str(billing))] = spending
        return found

    def by_minute(self, which: Selection) -> Mapping[str, Mapping[datetime, Decimal]]:
        """What each session is known to have cost, by the minute (UTC) of its requests."""
        found: dict[str, dict[datetime, Decimal]] = {}
        for (session, minute), spending in self.spent_by(("session_id", "minute"), which).items():
            at = datetime.fromisoformat(f"{minute}:00+00:00")
            found.setdefault(str(session), {})[at] = spending.known_cost or NOTHING
        return found

    def balances(self) -> list[AccountBalance]:
        """Every account, by its name, with what went through it."""
        debited, credited = self._through("debit"), self._through("credit")
        found = []
        for account in self._accounts.find(order=("id",)):
            debit, credit = debited.get(account.id, 0), credited.get(account.id, 0)
            more = debit - credit if account.type.grows_by_debit else credit - debit
            sums = (from_units(debit), from_units(credit), from_units(more))
            found.append(AccountBalance(account.id, account.type, *sums))
        return found

    def count(self) -> int:
        """How many entries there are."""
        return self._entries.count()

    def _through(self, side: str) -> dict[str, int]:
        account, amount = self._transfers.column(side), self._transfers.column("amount")
        large = amount / _PART
        query = self._transfers.table.select(
            account, peewee.fn.SUM(large), peewee.fn.SUM(amount - large * _PART)
        ).group_by(account)
        return {
            str(row[0]): int(row[1]) * _PART + int(row[2]) for row in self._connection.read(query)
        }

    def _key(self, name: str) -> Any:
        if name in _CUT:
            # numbers in the text: as parameters they would make two expressions of it
            cut = peewee.SQL(_CUT[name])
            return peewee.fn.SUBSTR(self._entries.column("at"), peewee.SQL("1"), cut)
        return self._entries.column(name)

    def _sum(self, name: str) -> Any:
        return peewee.fn.SUM(self._entries.column(name))

    def _where(self, which: Selection) -> list[Any]:
        column = self._entries.column
        where = [column("id").is_null(False)]
        where += [
            column(name) == value
            for name, value in (("session_id", which.session_id), ("project_id", which.project_id))
            if value is not None
        ]
        where += [] if which.since is None else [column("at") >= rfc3339(which.since)]
        return where + ([] if which.until is None else [column("at") < rfc3339(which.until)])


def _spending(billing: Billing, sums: Sequence[Any]) -> Spending:
    requests, unpriced, *counts, large, small = (int(value or 0) for value in sums)
    cost, metered = from_units(large * _PART + small), billing is Billing.METERED
    billed, listed = (cost, NOTHING) if metered else (NOTHING, cost)
    unlisted = 0 if metered else unpriced
    return Spending(requests, unpriced, Tokens(*counts), billed, listed, unlisted)
