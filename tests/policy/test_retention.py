"""What of the log goes, and who loses something by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.model import Retention
from ennio.policy.retention import LEAST, LogSize, LogStep, step

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    seq: int
    timestamp: datetime


def _rows(*ages: int) -> list[Row]:
    return [Row(number, NOW - age * DAY) for number, age in enumerate(ages, start=1)]


def test_what_is_old_goes_and_what_is_young_stays() -> None:
    decided = step(_rows(100, 91, 89, 1), Retention(), LogSize(4, {}), NOW)
    assert decided == LogStep(2)


def test_more_than_there_may_be_go_however_young() -> None:
    decided = step(_rows(0, 0, 0, 0), Retention(events_most=3), LogSize(5, {}), NOW)
    assert decided == LogStep(2)


def test_nothing_goes_that_somebody_has_still_to_get() -> None:
    size = LogSize(4, {"relay": 1, "tracker:app": 4})
    assert step(_rows(100, 100, 100, 100), Retention(), size, NOW) == LogStep(1)


def test_where_the_disk_would_fill_who_is_away_loses_its_place() -> None:
    size = LogSize(LEAST + 3, {"relay": 1, "tracker:app": 4}, full=True)
    assert step(_rows(9, 9, 9, 9), Retention(), size, NOW) == LogStep(3, ("relay",))


def test_for_ever_is_for_ever() -> None:
    policy = Retention(events_after=None, events_most=None)
    assert step(_rows(9999), policy, LogSize(1, {}), NOW) == LogStep()


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 200), max_size=12),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 12)),
    st.booleans(),
)
def test_nobody_loses_anything_before_the_disk_is_full_and_whoever_does_is_named(
    ages: list[int], places: dict[str, int], full: bool
) -> None:
    rows = _rows(*sorted(ages, reverse=True))
    decided = step(rows, Retention(), LogSize(len(rows) + LEAST, places, full), NOW)
    until = decided.until or 0
    assert set(decided.lost) == {name for name, at in places.items() if at < until}
    assert full or not decided.lost
    kept = [row for row in rows if row.seq > until]
    assert full or all(row.timestamp < NOW - 90 * DAY for row in rows if row.seq <= until)
    assert not (full and kept)
