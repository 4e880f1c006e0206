"""What sessions may still use runs down in the proxy as it does in the books, whoever dies and
whenever it is told anew; and nobody waits for longer than that takes.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.money import Budget, BudgetPeriod, BudgetScope, PriceOverride
from ennio.machine.files import write_atomically
from ennio.model.clock import ManualClock
from ennio.model.usage import Billing
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from ennio.policy.budgets.standing import BudgetRaise, standing
from ennio.policy.budgets.windows import WHOLE, window
from ennio.policy.ledger.posting import Occasion, entries_of
from ennio.policy.ledger.prices import PriceBook
from ennio.policy.ledger.spending import Spending
from ennio.proxy import headroom, journal, stops
from ennio.proxy.apis import Measured
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import forget, grant
from ennio.proxy.headroom import HeadroomWatch
from ennio.proxy.journal import Begun, Ended
from ennio.proxy.request_usage import usage_of

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICES = (PriceOverride("m", Decimal(10), Decimal(0)),)
A_DOLLAR = 100_000  # tokens
SESSIONS = ("s-0", "s-1", "s-2")
SHARED = AppliedBudget(Budget(BudgetScope.PROJECT, limit_tokens=1000), "p")
MONEY = AppliedBudget(Budget(BudgetScope.GLOBAL, Decimal("0.009")), "")
OWN = {one: AppliedBudget(Budget(BudgetScope.SESSION, limit_tokens=600), one) for one in SESSIONS}
BUDGETS = (SHARED, MONEY, *OWN.values())


def ended(name: str, tokens: int, model: str = "m") -> Ended:
    used = Measured(model=model, input_tokens=tokens, output_tokens=0)
    return Ended(name, 1, "messages", T0.timestamp(), 200, True, used)


class Books:
    """The supervisor's side: what it has read of the journal, and what it wrote of that."""

    def __init__(self, directory: ProxyDirectory) -> None:
        self.directory = directory
        self.cursors = dict.fromkeys(SESSIONS, 0)
        self.spent = {one: Spending() for one in SESSIONS}
        self.raises: list[BudgetRaise] = []

    def look(self, session_id: str) -> None:
        """Read on, and post it."""
        passed, cursor = journal.read(self.directory, session_id, self.cursors[session_id])
        told = [usage_of(one, Billing.METERED) for one in passed if isinstance(one, Ended)]
        of, price = Occasion(session_id, "p", "a", 1, T0), PriceBook(PRICES).cost
        posted = [entry for one in told if one for entry in entries_of(one, (), price, of)]
        self.cursors[session_id] = cursor
        self.spent[session_id] = self.spent[session_id].plus(posted)

    def write(self) -> None:
        """Tell the proxy what is left."""
        at = [standing(one, WHOLE, self._spent(one), self.raises) for one in BUDGETS]
        held = {
            one: SessionHeadroom(
                self.cursors[one],
                Billing.METERED,
                tuple(each.name for each in (SHARED, MONEY, OWN[one])),
            )
            for one in SESSIONS
        }
        headroom.write(self.directory, Headroom(tuple(at), held, PRICES))

    def _spent(self, one: AppliedBudget) -> Mapping[Billing, Spending]:
        mine = (spent for who, spent in self.spent.items() if one.subject in (who, "p", ""))
        return {Billing.METERED: sum(mine, Spending())}


class Provider:
    """Who serves, with books of its own; ``limits`` are those that the proxy was told of."""

    def __init__(self) -> None:
        self.tokens = dict.fromkeys(SESSIONS, 0)
        self.priced = 0

    def reached(self, session_id: str, raised: int) -> bool:
        return (
            sum(self.tokens.values()) >= 1000 + raised
            or self.tokens[session_id] >= 600
            or self.priced >= Decimal("0.009") * A_DOLLAR
        )


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(SESSIONS)),
        st.tuples(st.just("end"), st.integers(0, 9), st.integers(1, 400), st.sampled_from("mmx")),
        st.tuples(st.just("look"), st.sampled_from(SESSIONS)),
        st.tuples(st.sampled_from(("tell", "proxy dies", "raise"))),
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(MOVES)
def test_nobody_begins_beyond_a_limit_and_nobody_is_stopped_before_it_in_any_order(
    moves: list[tuple[str | int, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        directory, clock = ProxyDirectory(Path(root) / "proxy"), ManualClock(T0)
        directory.make()
        books, provider = Books(directory), Provider()
        books.write()
        proxy, under_way, known = HeadroomWatch(directory, clock), list[tuple[str, str]](), 0
        for number, (what, *of) in enumerate(moves):
            if what == "ask":
                session_id = str(of[0])
                stopped = proxy.used_up(session_id)
                assert (stopped is not None) == provider.reached(session_id, known)
                if stopped is None:
                    under_way.append((session_id, f"r-{number}"))
                    begun = Begun(f"r-{number}", 1, "messages", T0.timestamp())
                    journal.note(directory, session_id, begun)
            elif what == "end" and under_way:
                index, tokens, model = int(of[0]), int(of[1]), str(of[2])
                session_id, name = under_way.pop(index % len(under_way))
                provider.tokens[session_id] += tokens
                provider.priced += tokens if model == "m" else 0
                one = ended(name, tokens, "m" if model == "m" else "nobody-knows-it")
                journal.note(directory, session_id, one)
                proxy.count(session_id, one)
            elif what == "look":
                books.look(str(of[0]))
            elif what == "raise":
                more = BudgetRaise(str(number), SHARED.name, WHOLE.key, None, 300, T0, "me")
                books.raises.append(more)
            elif what == "tell":
                books.write()
                known = 300 * len(books.raises)
            elif what == "proxy dies":  # with what is under way: of that nobody knows
                proxy, under_way = HeadroomWatch(directory, clock), []


@pytest.fixture
def directory(tmp_path: Path) -> ProxyDirectory:
    made = ProxyDirectory(tmp_path / "proxy")
    made.make()
    return made


def limited(directory: ProxyDirectory, tokens: int, period: BudgetPeriod) -> None:
    """A session may use so many tokens in all."""
    one = AppliedBudget(Budget(BudgetScope.GLOBAL, period=period, limit_tokens=tokens), "")
    at = standing(one, window(period, T0), {})
    held = {"s-0": SessionHeadroom(0, None, (one.name,))}
    headroom.write(directory, Headroom((at,), held))


def test_the_words_are_those_of_the_pause_with_what_was_used_by_now(
    directory: ProxyDirectory,
) -> None:
    limited(directory, 100, BudgetPeriod.DAILY)
    watch = HeadroomWatch(directory, ManualClock(T0))
    assert watch.used_up("s-0") is None
    watch.count("s-0", ended("a", 130))
    assert watch.used_up("s-0") == (
        "paused: budget global:daily is used up (130 of 100 tokens); it begins anew at 2026-03-02 "
        "00:00 UTC. ennio budget raise global:daily --tokens NUMBER gives more, ennio budget go-on "
        "s-0 lets it end its turn, ennio session kill s-0 ends it"
    )


def test_what_is_missing_damaged_of_another_version_or_of_yesterday_stops_nobody(
    directory: ProxyDirectory,
) -> None:
    clock = ManualClock(T0)
    watch = HeadroomWatch(directory, clock)
    assert watch.used_up("s-0") is None
    limited(directory, 0, BudgetPeriod.DAILY)
    assert watch.used_up("s-0") is not None
    assert watch.used_up("s-1") is None, "it was not told of that one"
    clock.advance(24 * 3600)
    assert watch.used_up("s-0") is None
    clock.advance(-24 * 3600)
    whole = directory.headroom.read_text()
    other = json.dumps(json.loads(whole) | {"version": "0.0.1"})
    for text in (other, "", "[]", "{}", whole[:-20], whole.replace('"budgets"', '"b"')):
        write_atomically(directory.headroom, text)
        assert watch.used_up("s-0") is None, text
        write_atomically(directory.headroom, whole)
        assert watch.used_up("s-0") is not None
    headroom.write(directory, Headroom())
    assert not directory.headroom.exists()
    assert watch.used_up("s-0") is None


def test_a_request_waits_until_it_is_stopped_or_there_is_more(
    directory: ProxyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = grant(directory, "s-0", 1, {"": "http://nobody"})[""]
    limited(directory, 0, BudgetPeriod.TOTAL)
    watch = HeadroomWatch(directory, ManualClock(T0))

    def meanwhile(seconds: float) -> None:
        then.pop()()

    monkeypatch.setattr(time, "sleep", meanwhile)
    then = [lambda: limited(directory, 1, BudgetPeriod.TOTAL), lambda: None]
    assert watch.obstacle(token, "s-0") is None
    limited(directory, 0, BudgetPeriod.TOTAL)
    then = [lambda: stops.stop(directory, "s-0", "no more"), lambda: None]
    assert watch.obstacle(token, "s-0") == "no more"
    stops.release(directory, "s-0")
    then = [lambda: forget(directory, "s-0"), lambda: None]
    assert (watch.obstacle(token, "s-0") or "").startswith("paused: budget global:total")


def test_where_nobody_says_more_it_is_refused_in_the_same_words(
    directory: ProxyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = grant(directory, "s-0", 1, {"": "http://nobody"})[""]
    limited(directory, 0, BudgetPeriod.TOTAL)
    watch = HeadroomWatch(directory, ManualClock(T0))
    monkeypatch.setattr(headroom, "WAITS", 0.3)
    assert watch.obstacle(token, "s-0") == watch.used_up("s-0") is not None
