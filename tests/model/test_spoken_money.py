"""Money as it is said to people."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.money import spoken, used_of


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("5", "$5.00"),
        ("1.2345", "$1.23"),
        ("0.323456789012", "$0.32"),
        ("0.018", "$0.018"),
        ("0.0123456", "$0.012"),
        ("0.05", "$0.05"),
        ("0.000000000001", "$0.000000000001"),
        ("0", "$0.00"),
        ("999999999", "$999999999.00"),
    ],
)
def test_money_is_said_to_the_cent_and_little_of_it_is_no_zero(amount: str, said: str) -> None:
    assert spoken(Decimal(amount)) == said


@pytest.mark.parametrize(
    ("used", "limit", "said"),
    [
        ("0.323456789012", "0.3", "$0.32 of $0.30"),
        ("0.300000789012", "0.3", "$0.300001 of $0.30"),
        ("0.3", "0.30", "$0.30 of $0.30"),
        ("4.999", "5", "$4.999 of $5.00"),
        ("4.999999999999", "5", "$4.999999999999 of $5.00"),
        ("0.1", "0.125", "$0.10 of $0.125"),
        ("0", "5", "$0.00 of $5.00"),
    ],
)
def test_rounding_never_hides_on_which_side_of_its_limit_money_is(
    used: str, limit: str, said: str
) -> None:
    assert used_of(Decimal(used), Decimal(limit)) == said


_MONEY = st.decimals(0, 10**6, places=12)


@given(_MONEY, st.decimals(0, 10**6, places=6))
def test_whatever_is_used_of_whatever_limit(used: Decimal, limit: Decimal) -> None:
    one, other = (Decimal(part[1:]) for part in used_of(used, limit).split(" of "))
    assert other == limit
    assert (one > other, one < other) == (used > limit, used < limit)
