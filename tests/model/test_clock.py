"""A clock that is set is noticed, and so is a machine that slept; time that passes
is not taken for either.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from ennio.model.clock import ClockJump, ManualClock

HOUR = 3600.0


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_clock_that_is_put_back_or_forward_is_noticed_once(by: float) -> None:
    clock = ManualClock()
    jump = ClockJump(clock)
    clock.advance(120)
    clock.put(by)
    clock.advance(120)
    assert jump.taken() == timedelta(seconds=by)
    clock.advance(HOUR)
    assert jump.taken() is None


def test_time_that_passes_is_no_leap_and_neither_is_a_second() -> None:
    clock = ManualClock()
    jump = ClockJump(clock)
    clock.advance(HOUR)
    assert jump.taken() is None
    clock.put(-1)
    assert jump.taken() is None


def test_many_small_ones_are_one() -> None:
    clock = ManualClock()
    jump = ClockJump(clock)
    taken = []
    for _ in range(7):
        clock.put(-1)
        taken.append(jump.taken())
    assert [back for back in taken if back is not None] == [timedelta(seconds=-5)]
