"""Durations and sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.quantity import (
    UNITS_OF_SIZE,
    UNITS_OF_TIME,
    seconds,
    shown_seconds,
    shown_size,
    size,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (2, 2.0),
        ("2", 2.0),
        ("2s", 2.0),
        ("500ms", 0.5),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("2d", 172800.0),
        (1.5, 1.5),
        (" 3 m ", 180.0),
        (0, 0.0),
    ],
)
def test_a_duration_is_read_as_written(written: object, meant: float) -> None:
    assert seconds(written) == meant


def test_a_bare_number_takes_the_unit_of_its_field() -> None:
    assert seconds(2000, "ms") == 2.0
    assert seconds("1500", "ms") == 1.5
    assert seconds("2s", "ms") == 2.0


@pytest.mark.parametrize(
    "written",
    [
        "",
        "s",
        "-1",
        -1,
        "5 minutes",
        "1h30m",
        True,
        None,
        [],
        "٣s",
        "1e3",
        float("nan"),
        float("inf"),
        "9" * 5000,
        10**20,
        "20000d",
    ],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        seconds(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("512MiB", 2**29),
        ("2GB", 2 * 10**9),
        ("1kB", 1000),
        (4096, 4096),
        ("1.5KiB", 1536),
        ("7B", 7),
    ],
)
def test_a_size_is_read_as_written(written: object, meant: int) -> None:
    assert size(written) == meant


@pytest.mark.parametrize(
    "written", ["512M", "512mib", "MiB", -1, "-1KiB", True, None, "9" * 18 + "TiB"]
)
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        size(written)


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_OF_TIME)))
def test_every_whole_duration_means_its_number_times_its_unit(number: int, unit: str) -> None:
    if float(number * UNITS_OF_TIME[unit]) <= 10 * 365 * 86400:
        assert seconds(f"{number}{unit}") == float(number * UNITS_OF_TIME[unit])


@given(st.integers(0, 10**7).map(lambda milliseconds: milliseconds / 1000))
def test_a_duration_that_is_shown_reads_back_the_same(value: float) -> None:
    assert seconds(shown_seconds(value)) == pytest.approx(value, rel=1e-4)


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_OF_SIZE)))
def test_every_whole_size_means_its_number_times_its_unit(number: int, unit: str) -> None:
    if number * UNITS_OF_SIZE[unit] <= 2**50:
        assert size(f"{number}{unit}") == number * UNITS_OF_SIZE[unit]


@given(st.integers(0, 2**50))
def test_a_size_that_is_shown_reads_back_the_same(value: int) -> None:
    assert size(shown_size(value)) == value


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.binary()))
def test_any_value_is_a_quantity_or_a_value_error(value: object) -> None:
    for read in (seconds, size):
        try:
            assert read(value) >= 0
        except ValueError as error:
            assert str(error).startswith("is ")  # noqa: PT017 - both outcomes are right
