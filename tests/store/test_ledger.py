"""The books in a database: balanced whatever is told, and closed to edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.config.money import PriceOverride
from ennio.model.clock import ManualClock
from ennio.model.session import Session
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.policy.ledger.accounts import AccountType
from ennio.policy.ledger.posting import Occasion, entries_of, last_of_each
from ennio.policy.ledger.prices import PriceBook
from ennio.policy.ledger.spending import Spending
from ennio.store import Store, open_store
from ennio.store.ledger import Selection

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
BOOK = PriceBook(
    (
        PriceOverride("mine", Decimal(1), Decimal("2.000001"), cache_read=Decimal("0.100001")),
        PriceOverride("mine", Decimal(3), Decimal(4), since=MIDNIGHT.date()),
    )
)


def _of(session_id: str, launch: int = 1) -> Occasion:
    project = f"p{session_id[-1]}"
    return Occasion(session_id, project, "agent", launch, MIDNIGHT + timedelta(hours=launch))


def _tell(store: Store, of: Occasion, *told: RequestUsage) -> None:
    requests = last_of_each(told)
    known = store.ledger.posted(of.session_id, [each.id for each in requests])
    with store.transaction():
        for each in requests:
            store.ledger.post(entries_of(each, known.get(each.id, ()), BOOK.cost, of))


def _lose(store: Store, of: Occasion, *told: RequestUsage) -> None:
    """Tell it in a transaction that fails."""

    def fail() -> None:
        with store.transaction():
            _tell(store, of, *told)
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        fail()


def _request(
    name: str, given_tokens: int = 100, model: str | None = "mine", at: datetime = MIDNIGHT
) -> RequestUsage:
    return RequestUsage(name, at, Tokens(given_tokens, 10), model)


def _balanced(store: Store) -> None:
    accounts = store.ledger.balances()
    assert sum(each.debits_usd - each.credits_usd for each in accounts) == 0
    signs = {True: 1, False: -1}
    assert sum(signs[each.type.grows_by_debit] * each.balance_usd for each in accounts) == 0
    spent = store.ledger.spent(Selection())
    expenses = [each for each in accounts if each.type is AccountType.EXPENSE]
    assert sum((each.balance_usd for each in expenses), Decimal(0)) == spent.billed + spent.listed


UNPAID = """INSERT INTO ledger_entries SELECT 'x', session_id, 'x', revision, project_id, agent, at, posted_at,
    source, billing, requests, unpriced, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, amount, launch, model, tier FROM ledger_entries"""


# --- what the database itself holds ---------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET input_tokens = 0",
        "UPDATE ledger_transfers SET amount = 1",
        "UPDATE ledger_accounts SET type = 'asset'",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_transfers",
        "INSERT INTO ledger_transfers VALUES ('x', 'expense:llm:p1', 'asset:prepaid', 0, 'a', 'a')",
        (
            "INSERT INTO ledger_transfers VALUES ('x', 'expense:llm:p1', 'asset:prepaid', -5, 'a', "
            "'a')"
        ),
        "INSERT INTO ledger_transfers VALUES ('x', 'asset:prepaid', 'asset:prepaid', 5, 'a', 'a')",
        "INSERT INTO ledger_transfers VALUES ('x', 'expense:llm:p1', NULL, 5, 'a', 'a')",
        "INSERT INTO ledger_transfers VALUES ('x', 'expense:llm:p1', 'asset:none', 5, 'a', 'a')",
        "INSERT INTO ledger_accounts VALUES ('x', 'magic', 'a')",
        UNPAID,
    ],
)
def test_the_database_itself_refuses_what_would_unbalance_the_books(
    store: Store, statement: str
) -> None:
    _tell(store, _of("s-1"), _request("a"))
    before = store.ledger.balances()
    with pytest.raises(store._connection.dialect.errors), store._connection.transaction():
        store._connection.sql(statement)
    assert store.ledger.balances() == before
    _balanced(store)


def test_an_entry_and_its_transfer_are_there_both_or_neither(store: Store) -> None:
    _lose(store, _of("s-1"), _request("a"))
    assert store.ledger.balances() == []
    assert store.ledger.count() == 0
    _tell(store, _of("s-1"), _request("a"))
    assert store.ledger.count() == 1


def test_sums_are_exact_beyond_what_64_bits_hold(store: Store) -> None:
    requests = [
        replace(_request(f"r{number}"), cost_usd=Decimal("999999.999999999999"))
        for number in range(12)
    ]
    _tell(store, _of("s-1"), *requests)
    assert store.ledger.spent(Selection()).billed == 12 * Decimal("999999.999999999999")
    _balanced(store)


def test_costs_are_summed_by_what_is_asked_for(store: Store) -> None:
    _tell(store, _of("s-1"), _request("a", at=MIDNIGHT - timedelta(seconds=1)), _request("b"))
    _tell(store, _of("s-2"), _request("a", model="unheard-of"))
    ledger = store.ledger
    assert {key[0] for key in ledger.spent_by(("day",), Selection())} == {
        "2026-11-30",
        "2026-12-01",
    }
    assert ledger.spent(Selection(session_id="s-1")).requests == 2
    assert ledger.spent(Selection(project_id="p2")) == Spending(1, 1, Tokens(100, 10))
    assert ledger.spent(Selection(since=MIDNIGHT)).requests == 2
    assert ledger.spent(Selection(until=MIDNIGHT)).requests == 1
    assert ledger.spent(Selection(session_id="nobody")) == Spending()


def test_books_are_opened_with_what_sessions_had_used_before(v01: Path) -> None:
    store = open_store(f"sqlite:{v01}", v01.parent, ManualClock())
    spent = store.ledger.spent(Selection(session_id="ma-1"))
    assert (spent.tokens.given, spent.billed, spent.requests) == (1200, Decimal("0.1"), 1)
    _balanced(store)
    store.close()


# --- whatever is told -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Telling:
    """One look: of which session, in which launch; ``lost`` when its transaction fails, ``restart``
    when the store is opened anew.
    """

    session: int
    launch: int
    told: Sequence[tuple[int, int, int, int, str | None]]
    lost: bool
    restart: bool


COUNT = st.integers(0, 300)
COST = st.sampled_from([None, None, "0.000000000001", "0.5", "1.234567890123", "NaN"])
TELLINGS = st.lists(
    st.builds(
        _Telling,
        st.integers(1, 2),
        st.integers(1, 3),
        st.lists(st.tuples(st.integers(0, 7), COUNT, COUNT, COUNT, COST), max_size=4),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


def _usage(number: int, given_tokens: int, made: int, read: int, cost: str | None) -> RequestUsage:
    """What is fixed of a request follows from its number: on which side of
    midnight, whose model, who pays.
    """
    return RequestUsage(
        id=f"r{number}",
        at=MIDNIGHT + timedelta(seconds=-1 if number % 2 else 1),
        tokens=Tokens(given_tokens, made, read),
        model="unheard-of" if number % 4 == 3 else "mine",
        cost_usd=None if cost is None else Decimal(cost),
        billing=Billing.PLAN if number in (4, 5) else Billing.METERED,
    )


class _Oracle:
    """Adds up by itself what was told, with other means."""

    def __init__(self) -> None:
        self.most: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.told: dict[tuple[int, int], Decimal] = {}
        self.seen: set[tuple[int, int]] = set()

    def take(self, session: int, usage: tuple[int, int, int, int, str | None]) -> None:
        number, *counts, cost = usage
        key = session, number
        money = Decimal(cost) if cost not in (None, "NaN") else None
        if not any(counts) and money is None and key not in self.seen:
            return
        self.seen.add(key)
        self.most[key] = [max(pair) for pair in zip(self.most[key], counts, strict=True)]
        if money is not None:
            self.told[key] = max(money, self.told.get(key, Decimal(0)))

    def money(self, key: tuple[int, int]) -> Decimal | None:
        sent, made, read = self.most[key]
        if key in self.told:
            return self.told[key]
        if key[1] % 4 == 3:
            return Decimal(0) if not (sent or made or read) else None
        rates = ("1", "2.000001", "0.100001") if key[1] % 2 else ("3", "4", "3")
        each = zip((sent, made, read), rates, strict=True)
        return sum((count * Decimal(rate) for count, rate in each), Decimal(0)) / 10**6

    def total(self, keys: set[tuple[int, int]]) -> tuple[int, int, int, Decimal, Decimal]:
        known = {key: self.money(key) for key in keys}
        plan = sum(
            (money or Decimal(0) for key, money in known.items() if key[1] in (4, 5)), Decimal(0)
        )
        every = sum((money or Decimal(0) for money in known.values()), Decimal(0))
        sent = sum(self.most[key][0] + self.most[key][2] for key in keys)
        made = sum(self.most[key][1] for key in keys)
        return len(keys), sent, made, every - plan, plan


def _summed(spent: Spending) -> tuple[int, int, int, Decimal, Decimal]:
    return (spent.requests, spent.tokens.given, spent.tokens.output, spent.billed, spent.listed)


@pytest.mark.real
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tellings=TELLINGS)
def test_whatever_is_told_the_books_are_balanced_and_equal_to_an_independent_sum(
    url: str, tellings: list[_Telling]
) -> None:
    with closing(open_store(url, Path(), ManualClock())) as store:
        _emptied(store)
    oracle = _Oracle()
    parts: list[list[_Telling]] = [[]]
    for telling in tellings:
        parts[-1].append(telling)
        parts += [[]] if telling.restart else []
    for part in parts:
        with closing(open_store(url, Path(), ManualClock())) as store:
            _play(store, part, oracle)
            _compare(store, oracle)


def _play(store: Store, tellings: Sequence[_Telling], oracle: _Oracle) -> None:
    for telling in tellings:
        of = _of(f"s-{telling.session}", telling.launch)
        requests = [_usage(*usage) for usage in telling.told]
        if telling.lost:
            _lose(store, of, *requests)
        else:
            _tell(store, of, *requests)
            for usage in telling.told:
                oracle.take(telling.session, usage)


def _compare(store: Store, oracle: _Oracle) -> None:
    _balanced(store)
    assert _summed(store.ledger.spent(Selection())) == oracle.total(oracle.seen)
    for session in (1, 2):
        own = {key for key in oracle.seen if key[0] == session}
        assert _summed(store.ledger.spent(Selection(session_id=f"s-{session}"))) == oracle.total(
            own
        )
    for day, odd in ((date(2026, 11, 30), 1), (date(2026, 12, 1), 0)):
        own = {key for key in oracle.seen if key[1] % 2 == odd}
        found = store.ledger.spent_by(("day",), Selection()).get((day.isoformat(),), Spending())
        assert _summed(found) == oracle.total(own)


def _emptied(store: Store) -> None:
    """The books of the example before are taken away with their table, which no
    statement inside of it could do.
    """
    from ennio.store import tables
    from ennio.store.ledger_rules import BOOKS

    if not store.ledger.count() and not store.ledger.balances():
        return
    with store._connection.transaction():
        for table in reversed(BOOKS):
            store._connection.sql(f"DROP TABLE {table}")
        for statement in tables.creation(store._connection.dialect.statements):
            if "ledger_" in statement:
                store._connection.sql(statement)


def test_a_session_that_is_gone_stays_in_the_books(store: Store, session: Session) -> None:
    store.sessions.insert(session)
    _tell(store, _of("s-1"), _request("a"))
    assert store.ledger.spent(Selection(session_id="s-1")).requests == 1
