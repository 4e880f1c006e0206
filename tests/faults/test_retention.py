"""A fault at every point of what is no longer kept: nothing goes that is to stay, nothing is told twice,
and nothing is left half done.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import points
from tests.faults.drawing import missed, plans
from tests.faults.on_retention import play
from tests.faults.plan import read

pytestmark = pytest.mark.e2e

PLANS = plans(points.of_retention())
MIDDLE = {
    "it dies in the middle of a batch, and again in the next": read(
        "commit.pruned:before=kill#2;commit.pruned:after=kill-all#2"
    ),
    "what is taken back dies on both sides": read(
        "notifier.withdraw:before=kill;notifier.withdraw:after=kill-all"
    ),
    "what is told dies before it is written down": read(
        "notifier.notify:after=kill;commit.deliveries:before=kill#2"
    ),
}


@pytest.mark.parametrize("name", [*PLANS, *MIDDLE])
def test_what_is_old_goes_and_all_is_told_whatever_goes_wrong(name: str, tmp_path: Path) -> None:
    plan = {**PLANS, **MIDDLE}[name]
    left = missed(plan, play(tmp_path / "together", plan))
    orders = [order for order in plan if str(order) in left]
    alone = [play(tmp_path / f"alone-{at}", (order,)) for at, order in enumerate(orders)]
    assert not left - {order for told in alone for order in told}, "the story did not come by there"
