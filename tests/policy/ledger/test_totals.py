"""Requests out of running totals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.session import Usage
from ennio.model.usage import Tokens
from ennio.policy.ledger.totals import RunningTotal, grown

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def _sum(*tellings: tuple[int, Usage]) -> tuple[Tokens, Decimal]:
    total, tokens, cost, names = RunningTotal(), Tokens(), Decimal(0), []
    for launch, usage in tellings:
        total, request = grown(total, usage, launch, NOW)
        if request is not None:
            names.append(request.id)
            tokens += request.tokens
            cost += request.cost_usd or 0
    assert len(names) == len(set(names))
    return tokens, cost


def test_each_growth_of_a_total_is_a_request() -> None:
    first, second = Usage(10, 5, Decimal("0.1")), Usage(30, 6, Decimal("0.4"))
    assert _sum((1, first), (1, first), (1, second)) == (Tokens(30, 6), Decimal("0.4"))


def test_a_total_that_is_read_from_the_beginning_again_says_nothing_new() -> None:
    assert _sum((1, Usage(30, 6)), (1, Usage(10, 2)), (1, Usage(30, 6))) == (Tokens(30, 6), 0)


def test_an_agent_that_is_resumed_may_count_on_or_from_zero() -> None:
    assert _sum((1, Usage(30, 6)), (2, Usage(40, 8)))[0] == Tokens(40, 8)
    assert _sum((1, Usage(30, 6)), (2, Usage(4, 1)), (2, Usage(9, 2)))[0] == Tokens(39, 8)


def test_money_that_falls_is_no_usage() -> None:
    told = (1, Usage(30, 6, Decimal("0.4"))), (1, Usage(40, 6, Decimal("0.3")))
    assert _sum(*told) == (Tokens(40, 6), Decimal("0.4"))


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 99)), max_size=5), max_size=4)
)
def test_launches_that_count_on_add_up_to_the_last_total(
    launches: list[list[tuple[int, int]]],
) -> None:
    told, given_tokens, made = [], 0, 0
    for number, growths in enumerate(launches, 1):
        for more, answer in growths:
            given_tokens, made = given_tokens + more, made + answer
            told += [(number, Usage(given_tokens, made))] * 2
    assert _sum(*told)[0] == Tokens(given_tokens, made)
