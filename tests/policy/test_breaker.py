"""The breaker: many different children at once are one outage; one child many times is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ennio.policy.breaker import Breaker

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _after(*crashes: tuple[float, str]) -> Breaker:
    breaker = Breaker()
    for seconds, name in crashes:
        breaker = breaker.record(name, NOW + timedelta(seconds=seconds))
    return breaker


def test_more_than_ten_different_children_within_ten_seconds_open_it() -> None:
    assert not _after(*((n * 0.5, f"c{n}") for n in range(10))).is_open(NOW + timedelta(seconds=5))
    assert _after(*((n * 0.5, f"c{n}") for n in range(11))).is_open(NOW + timedelta(seconds=5))


def test_one_child_that_crashes_often_never_opens_it() -> None:
    assert not _after(*((n * 0.01, "the same") for n in range(100))).is_open(
        NOW + timedelta(seconds=1)
    )


def test_it_closes_by_itself_when_the_crashes_are_over() -> None:
    breaker = _after(*((0.0, f"c{n}") for n in range(50)))
    assert breaker.is_open(NOW + timedelta(seconds=9.9))
    assert not breaker.is_open(NOW + timedelta(seconds=10))


def test_it_forgets_what_is_over() -> None:
    breaker = _after(*((float(n), f"c{n}") for n in range(500)))
    assert len(breaker.crashes) <= 11


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 30)), max_size=60), st.floats(0, 110))
def test_it_is_open_exactly_when_enough_children_crashed_of_late(
    crashes: list[tuple[float, int]], at: float
) -> None:
    crashes = sorted(crashes)
    at = max([at, *(seconds for seconds, _ in crashes)])
    now = NOW + timedelta(seconds=at)
    moments = [(NOW + timedelta(seconds=seconds), name) for seconds, name in crashes]
    late = {name for moment, name in moments if now - moment < timedelta(seconds=10)}
    assert _after(*((seconds, str(name)) for seconds, name in crashes)).is_open(now) is (
        len(late) > 10
    )
