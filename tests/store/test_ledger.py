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
from tests.properties import examples

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
RATES = (
    (("1", "2.000001", "0.100001"), ("3", "4", "3")),
    (("0.000001", "7", "0"), ("5", "5", "0.5")),
)
"""Of two configurations, one after the other: input, output and what is read from the cache, before
midnight and after it.
"""


def _book(before: Sequence[str], after: Sequence[str]) -> PriceBook:
    (sent, made, read), (later, answered, kept) = (map(Decimal, rates) for rates in (before, after))
    return PriceBook(
        (
            PriceOverride("mine", sent, made, cache_read=read),
            PriceOverride("mine", later, answered, cache_read=kept, since=MIDNIGHT.date()),
        )
    )


BOOKS_OF = tuple(_book(*rates) for rates in RATES)
BOOK = BOOKS_OF[0]


def _of(session_id: str, launch: int = 1) -> Occasion:
    project = f"p{session_id[-1]}"
    return Occasion(session_id, project, "agent", launch, MIDNIGHT + timedelta(hours=launch))


def _tell(store: Store, of: Occasion, *told: RequestUsage, book: PriceBook = BOOK) -> None:
    requests = last_of_each(told)
    known = store.ledger.posted(of.session_id, [each.id for each in requests])
    with store.transaction():
        for each in requests:
            store.ledger.post(entries_of(each, known.get(each.id, ()), book.cost, of))


def _lose(store: Store, of: Occasion, *told: RequestUsage, book: PriceBook = BOOK) -> None:
    """Tell it in a transaction that fails."""

    def fail() -> None:
        with store.transaction():
            _tell(store, of, *told, book=book)
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
    assert store.ledger.total() == spent
    assert store._connection.sql(OUT_OF_BALANCE).fetchall() == []


OUT_OF_BALANCE = """SELECT whose, SUM(large), SUM(small) FROM (
    SELECT whose, sign * (amount / 1000000) AS large,
        sign * (amount - amount / 1000000 * 1000000) AS small FROM (
        SELECT 'all' AS whose, 1 AS sign, amount FROM ledger_transfers
        UNION ALL SELECT 'all', -1, amount FROM ledger_transfers
        UNION ALL SELECT id, 1, amount FROM ledger_transfers
        UNION ALL SELECT id, -1, abs(amount) FROM ledger_entries WHERE amount <> 0) AS sides)
    AS parts GROUP BY whose HAVING SUM(large) <> 0 OR SUM(small) <> 0"""
"""What the database itself finds out of balance: all sides together, and an entry with its transfer.
An amount is summed in two parts, since twelve times the most that is taken is beyond 64 bits.
"""
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


_Told = tuple[int, int, int, int, str | None, bool]
"""Of a request: its number, what was sent, answered and read from the cache, the money, and whether
its model is named.
"""


@dataclass(frozen=True)
class _Telling:
    """One look: of which session, in which launch; ``lost`` when its transaction fails, ``restart``
    when the store is opened anew. ``prices`` are those of a configuration.
    """

    session: int
    launch: int
    told: Sequence[_Told]
    lost: bool
    restart: bool
    prices: int


COUNT = st.sampled_from([0, 1, 1, 100, 300])
COST = st.sampled_from([None, None, "0.000000000001", "0.5", "1.234567890123", "NaN"])
TELLINGS = st.lists(
    st.builds(
        _Telling,
        st.integers(1, 2),
        st.integers(1, 3),
        st.lists(
            st.tuples(st.integers(0, 7), COUNT, COUNT, COUNT, COST, st.booleans()), max_size=4
        ),
        st.booleans(),
        st.booleans(),
        st.integers(0, 1),
    ),
    max_size=8,
)


def _usage(
    number: int, given_tokens: int, made: int, read: int, cost: str | None, named: bool
) -> RequestUsage:
    """What is fixed of a request follows from its number: on which side of midnight, whose model,
    who pays. The model of some may be named later than the request.
    """
    model = "unheard-of" if number % 4 == 3 else "mine"
    return RequestUsage(
        id=f"r{number}",
        at=MIDNIGHT + timedelta(seconds=-1 if number % 2 else 1),
        tokens=Tokens(given_tokens, made, read),
        model=model if named or number not in (5, 6) else None,
        cost_usd=None if cost is None else Decimal(cost),
        billing=Billing.PLAN if number in (4, 5) else Billing.METERED,
    )


class _Oracle:
    """Adds up by itself what was told, with other means."""

    def __init__(self) -> None:
        self.most: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.told: dict[tuple[int, int], Decimal] = {}
        self.priced: dict[tuple[int, int], Decimal] = {}
        self.named: set[tuple[int, int]] = set()
        self.seen: set[tuple[int, int]] = set()

    def look(self, telling: _Telling) -> None:
        """One look tells of a request once, however often it stands there."""
        found: dict[int, tuple[list[int], list[Decimal], bool]] = {}
        for number, *counts, cost, named in telling.told:
            most, moneys, known = found.setdefault(number, ([0, 0, 0], [], False))
            told = [Decimal(cost)] if cost not in (None, "NaN") else []
            most = [max(pair) for pair in zip(most, counts, strict=True)]
            found[number] = most, moneys + told, known or named or number not in (5, 6)
        for number, (counts, moneys, known) in found.items():
            self._take((telling.session, number), counts, moneys, known, RATES[telling.prices])

    def _take(
        self,
        key: tuple[int, int],
        counts: list[int],
        moneys: list[Decimal],
        known: bool,
        rates: tuple[Sequence[str], Sequence[str]],
    ) -> None:
        if not any([*counts, *moneys]) and key not in self.seen:
            return
        self.seen.add(key)
        grown = [max(pair) for pair in zip(self.most[key], counts, strict=True)]
        news = (
            grown != self.most[key] or (known and key not in self.named) or key not in self.priced
        )
        self.most[key] = grown
        self.named |= {key} if known else set()
        if moneys:
            self.told[key] = max(*moneys, self.told.get(key, Decimal(0)))
        if news and key in self.named and (key[1] % 4 != 3):
            each = zip(grown, rates[0 if key[1] % 2 else 1], strict=True)
            self.priced[key] = sum((n * Decimal(rate) for n, rate in each), Decimal(0)) / 10**6

    def money(self, key: tuple[int, int]) -> Decimal | None:
        return self.told.get(key, self.priced.get(key))

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
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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
            _lose(store, of, *requests, book=BOOKS_OF[telling.prices])
        else:
            _tell(store, of, *requests, book=BOOKS_OF[telling.prices])
            oracle.look(telling)


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
    store.sessions.save(replace(session, id="ma-1", archived_at=MIDNIGHT))
    before = store.ledger.total()
    store._connection.sql("DELETE FROM sessions")
    assert store.ledger.spent(Selection(session_id="s-1")) == store.ledger.total() == before


def test_a_total_that_was_read_goes_on_and_forgets_what_was_rolled_back(store: Store) -> None:
    assert store.ledger.total() == Spending()
    _tell(store, _of("s-1"), _request("a"))
    before = store.ledger.total()
    assert before.requests == 1
    _lose(store, _of("s-1"), _request("b"))
    assert store.ledger.total() == before
    _tell(store, _of("s-2"), _request("c", model="unheard-of"))
    assert store.ledger.total() == store.ledger.spent(Selection())
