"""A fault at every point of a session past the metering proxy: each request its model served is in
the books once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import points
from tests.faults.drawing import missed, plans
from tests.faults.on_metering import play
from tests.faults.plan import read

pytestmark = pytest.mark.e2e

PLANS = plans(points.of_metering())
MIDDLE = {
    "it dies between a line of the proxy and its entry, and in the middle of a batch": read(
        "commit.ledger_entries:before=kill;commit.ledger_entries:after=kill-all#2"
    ),
    "it dies between where it asks and that it asks there": read(
        "meter.lead:after=kill;runtime.start:after=kill-all"
    ),
}


@pytest.mark.parametrize("name", [*PLANS, *MIDDLE])
def test_each_request_is_in_the_books_once_whatever_goes_wrong(name: str, tmp_path: Path) -> None:
    plan = {**PLANS, **MIDDLE}[name]
    left = missed(plan, play(tmp_path / "together", plan))
    orders = [order for order in plan if str(order) in left]
    alone = [play(tmp_path / f"alone-{at}", (order,)) for at, order in enumerate(orders)]
    assert not left - {order for told in alone for order in told}, "the story did not come by there"
