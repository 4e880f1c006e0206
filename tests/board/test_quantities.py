"""Ages, sizes, money."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ennio.board.quantities import age, money, size, span, tokens

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86399, "23h"),
        (864000, "10d"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_an_age_reads_any_offset_and_nothing_for_no_time() -> None:
    assert age("2026-01-01T12:30:00+01:00", NOON) == "30m"
    assert age("2026-01-01T11:59:00Z", NOON) == "1m"
    assert age(None, NOON) == ""


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536 * 1024**2, "1.5 GiB"),
        (1024**5, "1024.0 TiB"),
    ],
)
def test_sizes_stay_below_1024_of_their_unit(count: int, words: str) -> None:
    assert size(count) == words


def test_tokens_are_short() -> None:
    assert [tokens(count) for count in (950, 12_345, 4_500_000)] == ["950", "12.3k", "4.5M"]


def test_money_is_decimal_to_the_cent() -> None:
    assert money("0.125") == "$0.12"
    assert money("1234567890.10") == "$1234567890.10"
    assert money(None) == ""
