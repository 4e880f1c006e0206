"""A clock that is put back is noticed; one that runs on, or is put forward, is not taken for one."""

from __future__ import annotations

from datetime import timedelta

from ennio.clock import ManualClock, Setback


def test_a_clock_that_is_put_back_is_noticed_once() -> None:
    clock = ManualClock()
    setback = Setback(clock)
    clock.advance(-3600)
    taken = setback.taken()
    assert taken is not None
    assert abs(taken - timedelta(hours=1)) < timedelta(seconds=5)
    assert setback.taken() is None


def test_a_clock_that_runs_on_or_jumps_ahead_is_left_alone() -> None:
    clock = ManualClock()
    setback = Setback(clock)
    assert setback.taken() is None
    clock.advance(3600)
    assert setback.taken() is None
    clock.advance(-1)
    assert setback.taken() is None, "a second is no jump"
