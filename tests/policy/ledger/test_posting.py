"""What a usage becomes in the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ennio.model.usage import Billing, RequestUsage, Tokens, UsageSource
from ennio.policy.ledger.accounts import AccountType, transfer_of, type_of
from ennio.policy.ledger.entry import LedgerEntry
from ennio.policy.ledger.posting import Occasion, Price, entries_of, last_of_each
from ennio.policy.ledger.spending import Spending

NOW = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
LATER = Occasion("s-1", "shop", "claude-code", 2, NOW + timedelta(hours=1))
OF = Occasion("s-1", "shop", "claude-code", 1, NOW)
CENT = Decimal("0.01")


def _a_cent_a_token(told: RequestUsage) -> Decimal | None:
    return None if told.model is None else CENT * (told.tokens.given + told.tokens.output)


def _told(
    given: int = 10, made: int = 5, cost: str | None = None, model: str | None = "m"
) -> RequestUsage:
    money = None if cost is None else Decimal(cost)
    return RequestUsage("a", NOW, Tokens(given, made), model, cost_usd=money)


def _books(*tellings: RequestUsage, price: Price = _a_cent_a_token) -> tuple[LedgerEntry, ...]:
    posted: tuple[LedgerEntry, ...] = ()
    for told in tellings:
        posted += entries_of(told, posted, price, OF)
    return posted


def _cost(entries: Sequence[LedgerEntry]) -> Decimal | None:
    return Spending().plus(entries).known_cost


def test_a_request_is_an_entry_priced_by_itself_at_its_own_time() -> None:
    (entry,) = _books(_told())
    assert (entry.at, entry.posted_at, entry.launch, entry.requests) == (NOW, NOW, 1, 1)
    assert (entry.cost_usd, entry.source) == (Decimal("0.15"), UsageSource.LOCAL)


def test_incident_39_told_again_it_counts_once() -> None:
    assert len(_books(_told(), _told(), _told(3, 2))) == 1


def test_what_it_has_grown_by_is_another_entry_and_the_first_stays_as_it_was() -> None:
    first, more = _books(_told(), _told(12, 9))
    assert first == _books(_told())[0]
    assert (more.tokens, more.cost_usd, more.requests) == (Tokens(2, 4), Decimal("0.06"), 0)
    assert more.at == first.at


def test_the_money_that_a_provider_tells_comes_before_ours() -> None:
    entries = _books(_told(), _told(cost="0.5"))
    assert [entry.requests for entry in entries] == [1, -1, 1]
    assert _cost(entries) == Decimal("0.5")
    assert entries[-1].source is UsageSource.PROVIDER
    assert _books(_told(cost="0.5"), _told()) == _books(_told(cost="0.5"))


def test_a_model_of_which_nobody_knows_a_price_is_unknown_and_not_free() -> None:
    entries = _books(_told(model=None))
    spent = Spending().plus(entries)
    assert (spent.unpriced, spent.known_cost, spent.tokens) == (1, None, Tokens(10, 5))
    assert transfer_of(entries[0]) is None


def test_what_was_unknown_becomes_known_by_further_entries() -> None:
    entries = _books(_told(model=None), _told())
    spent = Spending().plus(entries)
    assert (spent.unpriced, spent.requests, spent.known_cost) == (0, 1, Decimal("0.15"))
    assert spent.tokens == Tokens(10, 5)


def test_a_price_that_changes_later_changes_nothing_that_was_posted() -> None:
    posted = _books(_told())
    assert entries_of(_told(), posted, lambda _: Decimal(99), LATER) == ()


def test_what_has_yet_to_be_answered_is_no_request() -> None:
    assert _books(_told(0, 0)) == ()
    assert len(_books(_told(0, 0), _told())) == 1


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-1", "1000000.01", "1e30"])
def test_what_is_no_count_of_money_is_none(cost: str) -> None:
    (entry,) = _books(_told(cost=cost, model=None))
    assert (entry.cost_usd, entry.unpriced) == (None, 1)


def test_a_transfer_debits_what_the_project_spends_and_credits_what_was_prepaid() -> None:
    (entry,) = _books(_told())
    transfer = transfer_of(entry)
    assert transfer is not None
    assert (transfer.debit, transfer.credit) == ("expense:llm:shop", "asset:prepaid")
    assert transfer.amount == Decimal("0.15")


def test_what_is_taken_back_goes_the_other_way() -> None:
    _, back, again = _books(_told(), _told(cost="0.05"))
    moved = [transfer_of(entry) for entry in (back, again)]
    assert [one and (one.debit, one.credit, str(one.amount)) for one in moved] == [
        ("asset:prepaid", "expense:llm:shop", "0.15"),
        ("expense:llm:shop", "asset:prepaid", "0.05"),
    ]


def test_what_a_plan_gave_is_listed_and_not_billed() -> None:
    told = RequestUsage("a", NOW, Tokens(10, 5), "m", billing=Billing.PLAN)
    spent = Spending().plus(_books(told))
    assert (spent.billed, spent.listed) == (0, Decimal("0.15"))
    transfer = transfer_of(_books(told)[0])
    assert transfer is not None
    assert type_of(transfer.debit) is AccountType.EXPENSE
    assert type_of(transfer.credit) is AccountType.REVENUE


def test_a_look_that_tells_of_a_request_several_times_tells_of_it_once() -> None:
    (told,) = last_of_each([_told(10, 1), _told(10, 5, "0.2"), _told(10, 3)])
    assert (told.tokens, told.cost_usd) == (Tokens(10, 5), Decimal("0.2"))
