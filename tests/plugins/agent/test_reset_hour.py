"""The hour of a reset in an agent's words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ennio.plugins.agent.reset_hour import reset_at

BERLIN = ZoneInfo("Europe/Berlin")


def _said(words: str, when: datetime) -> datetime | None:
    found = reset_at(words, when.timestamp())
    return None if found is None else datetime.fromtimestamp(found, UTC)


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("You've hit your 5-hour limit · resets 3pm (Europe/Berlin)", "2026-03-02T14:00"),
        ("You've hit your weekly limit · resets Mar 9 at 5pm (Asia/Tokyo)", "2026-03-09T08:00"),
        ("5-hour limit reached ∙ resets 3:30pm (UTC)", "2026-03-02T15:30"),
        ("Claude AI usage limit reached|1772463600", "2026-03-02T15:00"),
        ("Your limit will reset at 11am (UTC).", "2026-03-03T11:00"),
        ("resets Thu 9:00 AM (UTC)", "2026-03-05T09:00"),
        ("or try again in 3 days 2 hours 5 minutes.", "2026-03-05T14:05"),
        ("resets 12am (UTC)", "2026-03-03T00:00"),
        ("resets 12pm (UTC)", "2026-03-02T12:00"),
        ("resets Jan 2 at 9am (UTC)", "2027-01-02T09:00"),
    ],
)
def test_an_hour_is_told_in_many_ways(words: str, expected: str) -> None:
    assert _said(words, NOON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "words",
    [
        *("", "resets soon", "resets 3 times", "resets 25:00", "resets 13pm"),
        *("resets 3pm (No/Where)", "resets 3pm (../../etc/passwd)"),
        *("resets Feb 30 at 3pm (UTC)", "try again at 3:99 PM"),
    ],
)
def test_what_is_no_hour_is_none(words: str) -> None:
    assert _said(words, NOON) is None


def test_an_hour_said_just_before_midnight_is_on_the_next_day() -> None:
    evening = datetime(2026, 3, 2, 23, 58, tzinfo=UTC)
    assert _said("resets 12:10am (UTC)", evening) == datetime(2026, 3, 3, 0, 10, tzinfo=UTC)


def test_an_hour_that_is_just_over_is_that_one_and_none_of_tomorrow() -> None:
    late = datetime(2026, 3, 3, 0, 1, tzinfo=UTC)
    assert _said("resets 11:59pm (UTC)", late) == datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    assert _said("resets 12am (UTC)", late) == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-10-24T23:00", "2026-10-25T00:30"),  # the first half past two, in summer time
        ("2026-10-25T00:40", "2026-10-25T01:30"),  # that is over: the second one
    ],
)
def test_an_hour_that_a_clock_shows_twice_is_the_next_one(said: str, expected: str) -> None:
    found = _said("resets 2:30am (Europe/Berlin)", _utc(said))
    assert found == _utc(expected)


def test_an_hour_that_a_clock_skips_is_never_too_early() -> None:
    found = _said("resets 2:30am (Europe/Berlin)", _utc("2026-03-29T00:00"))
    assert found == _utc("2026-03-29T01:30")


def test_the_hours_of_a_day_are_counted_right_over_a_change_of_the_clock() -> None:
    found = _said("resets 9am (Europe/Berlin)", datetime(2026, 3, 28, 22, tzinfo=BERLIN))
    assert found == _utc("2026-03-29T07:00")


@pytest.fixture
def in_tokyo() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_an_hour_without_a_zone_is_the_machines() -> None:
    assert _said("try again at 10:05 PM.", NOON) == _utc("2026-03-02T13:05")
    dated = _said("try again at Mar 5th, 2026 3:05 PM.", NOON)
    assert dated == _utc("2026-03-05T06:05")


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
