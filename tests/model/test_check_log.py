"""Where a log first tells of a failure, and how it is given in parts. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.check_log import LogPart, failing_line
from ennio.model.pulls import CheckState


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("collecting\nE   AssertionError: 3 != 4\n", 2),
        ("0 errors in a.py\nno error here\nFAILED tests/a.py::b\n", 3),
        ("a.c: error: x\n", 1),
        ("ok 1\nnot ok 2 - adds\n", 2),
        ("run\nTraceback (most recent call last):\n", 2),
        ("$ echo error\nfine\nsh: nonsense: not found\n", 3),
        ("2026-01-01T00:00:00.1Z ##[error]Process completed with exit code 1.\n", 1),
        ("warming up\nerror is near\npanic: nil map\n", 3),
        ("  \u2717 renders\n", 1),
        ("all is well\n", None),
        ("", None),
    ],
)
def test_the_first_line_that_tells_of_a_failure_is_found(log: str, line: int | None) -> None:
    found = failing_line(log.encode())
    assert (found and found.line) == line
    if found:
        assert log.encode()[: found.offset].count(b"\n") == found.line - 1


@given(st.lists(st.text(st.sampled_from("ab\n"), max_size=9)).map("\n".join), st.integers(1, 30))
def test_parts_put_together_are_the_whole_log_and_count_its_lines(log: str, most: int) -> None:
    said, at = "", 0
    while True:
        part = LogPart(at, most).of("1", "unit", CheckState.PASSING, "abc", log.encode())
        assert part.offset <= at
        assert part.line == log[: part.offset].count("\n") + 1
        said = said[: part.offset] + part.text
        if part.next is None:
            break
        assert part.next > at
        at = part.next
    assert said == log
