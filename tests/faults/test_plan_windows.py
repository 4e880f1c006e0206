"""A kill -9 at every point of a session that is parked until its plan's window begins anew: it goes on
once, and not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.drawing import missed
from tests.faults.on_plan import play
from tests.faults.plan import read
from tests.faults.stage import AT_ONCE

pytestmark = pytest.mark.e2e

PARKED, GOES_ON = 7, 8
"""Which of its steps these are."""
PLANS = {
    name: read(orders)
    for name, orders in {
        "that it is parked is being written, and the words to go on are typed": (
            f"told.session_step:before=kill#{PARKED};runtime.paste:before=kill;"
            "runtime.press:after=kill-all"
        ),
        "it is parked, and the words to go on stand there": (
            f"told.session_step:after=kill-all#{PARKED};runtime.paste:after=kill"
        ),
        "that it goes on is being written": (
            f"told.session_step:before=kill#{GOES_ON};runtime.press:before=kill"
        ),
        "that it goes on is written": f"told.session_step:after=kill-all#{GOES_ON}",
    }.items()
}


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[object]]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(play, tmp_path_factory.mktemp("plan"), plan, kills_parked=at == 1)
            for at, (name, plan) in enumerate(PLANS.items())
        }


@pytest.mark.parametrize("name", list(PLANS))
def test_a_parked_session_goes_on_once_whatever_dies(
    plays: Mapping[str, Future[tuple[str, ...]]], name: str
) -> None:
    left = missed(PLANS[name], plays[name].result())
    assert not left, f"the story did not come by there: {left}"
