"""What the fields of a request say of a value that they do not take."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ennio.model.errors import Invalid
from ennio.model.request_fields import AmountField

LARGEST = "999999999.999999"


@pytest.mark.parametrize("value", ["1000000000", "9" * 26, "9" * 100_000, "1.0000001", "-1", 1e30])
def test_an_amount_that_is_none_is_told_what_would_be_one(value: object) -> None:
    with pytest.raises(Invalid, match=rf"write one such as 2\.50, up to {LARGEST}$") as refused:
        AmountField().from_json("limit_usd", value)
    assert len(str(refused.value)) < 200
    assert AmountField().from_json("limit_usd", LARGEST) == Decimal(LARGEST)
