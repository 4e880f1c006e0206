"""Quiet hours and limits: when a channel may be told something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ennio.config.model import QuietHours, RateLimit
from ennio.model.session import Priority
from ennio.policy import pacing

BERLIN = "Europe/Berlin"
NIGHT = QuietHours(22 * 60, 7 * 60 + 30, BERLIN)
LUNCH = QuietHours(12 * 60, 13 * 60, BERLIN)


def _at(*words: int) -> datetime:
    return datetime(*words, tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, _at(2026, 11, 26, 21, 59), None),
        (NIGHT, _at(2026, 11, 26, 22, 0), _at(2026, 11, 27, 7, 30)),
        (NIGHT, _at(2026, 11, 27, 7, 29), _at(2026, 11, 27, 7, 30)),
        (NIGHT, _at(2026, 11, 27, 7, 30), None),
        (NIGHT, _at(2026, 12, 31, 23, 0), _at(2027, 1, 1, 7, 30)),
        (LUNCH, _at(2026, 11, 26, 11, 59), None),
        (LUNCH, _at(2026, 11, 26, 12, 0), _at(2026, 11, 26, 13, 0)),
        (LUNCH, _at(2026, 11, 26, 13, 0), None),
        # nights of nine and of eleven hours and a half
        (NIGHT, _at(2026, 3, 28, 23, 0), _at(2026, 3, 29, 7, 30)),
        (NIGHT, _at(2026, 10, 24, 23, 0), _at(2026, 10, 25, 7, 30)),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(
    quiet: QuietHours, now: datetime, until: datetime | None
) -> None:
    assert pacing.quiet_until(quiet, Priority.URGENT, now) == until


def test_what_is_grave_enough_is_told_at_any_hour() -> None:
    night = _at(2026, 11, 26, 23)
    assert pacing.quiet_until(NIGHT, Priority.CRITICAL, night) is None
    assert pacing.quiet_until(None, Priority.INFO, night) is None
    awake = QuietHours(NIGHT.start, NIGHT.end, BERLIN, Priority.ACTION)
    assert pacing.quiet_until(awake, Priority.INFO, night) is not None
    assert pacing.quiet_until(awake, Priority.ACTION, night) is None


@given(
    start=some.integers(0, 1439),
    end=some.integers(0, 1439),
    minutes=some.integers(0, 2 * 366 * 1440),
    zone=some.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Pacific/Apia", None]),
)
def test_quiet_hours_always_end_within_a_day_and_an_hour(
    start: int, end: int, minutes: int, zone: str | None
) -> None:
    if start == end:
        return
    quiet = QuietHours(start, end, zone)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = pacing.quiet_until(quiet, Priority.INFO, now)
    if until is not None:
        assert timedelta(hours=-1) < until - now <= timedelta(hours=25)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


@pytest.mark.parametrize(
    ("told", "room", "free_in"),
    [
        ([], 3, 0),
        ([10], 2, 0),
        ([50, 20, 10], 0, 10),
        ([50, 40, 20, 10], 0, 20),
        ([61, 20, 10], 1, 0),
        ([60, 20, 10], 1, 0),
        ([-30, 20, 10], 1, 0),
    ],
)
def test_a_limit_is_a_window_that_moves(told: list[float], room: int, free_in: float) -> None:
    limit = RateLimit(3, 60.0)
    assert pacing.room(limit, _ago(*told), NOW) == room
    assert pacing.free_at(limit, _ago(*told), NOW) == NOW + timedelta(seconds=free_in)


@pytest.mark.parametrize(
    ("waiting", "room", "held", "burst"),
    [(1, 0, 1, False), (2, 2, 0, False), (3, 2, 0, True), (2, 9, 2, True), (2, 9, 1, False)],
)
def test_a_burst_is_more_than_fits_or_what_was_held_back(
    waiting: int, room: int, held: int, burst: bool
) -> None:
    assert pacing.is_burst(waiting, room, held) is burst
